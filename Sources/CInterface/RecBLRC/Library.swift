// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRecBLR
import ErrorSupport
import Training

// The functions of recblr.h that say what the library is, and those of errors and bytes.

private let version = CText(programVersion)

@c @implementation
public func recblr_version() -> UnsafePointer<CChar>? { version.text.bytes }

@c @implementation
public func recblr_abi() -> UInt32 { UInt32(RECBLR_ABI) }

@c @implementation
public func recblr_error_code(_ error: OpaquePointer?) -> Int32 {
    (try? object(error, CallError.self))?.exitStatus.rawValue ?? 0
}

@c @implementation
public func recblr_error_message(_ error: OpaquePointer?) -> recblr_text {
    (try? object(error, CallError.self))?.text.text ?? recblr_text()
}

@c @implementation
public func recblr_error_free(_ error: OpaquePointer?) { free(error, CallError.self) }

@c @implementation
public func recblr_bytes_text(_ bytes: OpaquePointer?) -> recblr_text {
    (try? object(bytes, CText.self))?.text ?? recblr_text()
}

@c @implementation
public func recblr_bytes_free(_ bytes: OpaquePointer?) { free(bytes, CText.self) }
