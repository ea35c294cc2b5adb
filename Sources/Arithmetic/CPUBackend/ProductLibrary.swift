#if canImport(COpenBLAS)
    import COpenBLAS
#endif

extension CPUBackend {
    /// The library that multiplies float32 matrices, and the kernels it has selected: "OpenBLAS 0.3.21, SkylakeX".
    package static var productLibrary: String {
        #if canImport(COpenBLAS)
            // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
            let version = String(cString: openblas_get_config()).split(separator: " ").prefix(2)
            return version.joined(separator: " ") + ", " + String(cString: openblas_get_corename())
        #else
            return "Accelerate"
        #endif
    }
}
