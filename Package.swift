// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in this package; SwiftPM lifts that where the package is somebody's dependency.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
// `fp-contract=fast` comes from a pragma in the sources, so that no unsafe flags are needed.
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

#if os(Linux)
    let openBLAS: [Target.Dependency] = ["COpenBLAS"]
#else
    let openBLAS: [Target.Dependency] = []  // Accelerate brings CBLAS.
#endif

let package = Package(
    name: "RecBLR",
    platforms: [.macOS(.v15)],
    products: [
        .library(
            name: "RecBLR",
            targets: [
                "RecBLR", "Tensors", "CPUBackend", "CUDABackend", "Interactions", "Evaluation", "Training",
                "ModelStore", "Serving",
                "Report",
            ]),
        .executable(name: "recblr", targets: ["RecBLRCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // Files that are written whole or not at all, memory maps, gzip.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CFileSupport", cSettings: strictC),
        .target(name: "FileSupport", dependencies: ["CZlib", "CFileSupport"], swiftSettings: strict),

        // Arithmetic.
        .target(name: "Tensors", swiftSettings: strict),
        .target(name: "ReferenceBackend", dependencies: ["Tensors"], swiftSettings: strict),
        .target(name: "CKernels", cSettings: strictC),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CPUBackend", dependencies: ["Tensors", "CKernels"] + openBLAS, swiftSettings: strict),

        .target(
            name: "CCUDA", exclude: ["kernels"], cSettings: strictC,
            linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),

        .target(name: "CUDABackend", dependencies: ["Tensors", "CCUDA"], swiftSettings: strict),

        // The model and its files.
        .target(name: "RecBLR", dependencies: ["Tensors"], swiftSettings: strict),
        .target(name: "ModelStore", dependencies: ["RecBLR", "FileSupport"], swiftSettings: strict),

        // Data, metrics, training, answering.
        .target(
            name: "Interactions",
            dependencies: ["FileSupport"],
            swiftSettings: strict),
        .target(name: "Evaluation", dependencies: ["RecBLR", "Interactions"], swiftSettings: strict),
        .target(
            name: "Training",
            dependencies: [
                "FileSupport", "RecBLR", "ModelStore", "Interactions", "Evaluation",
            ],
            swiftSettings: strict),
        .target(name: "Serving", dependencies: ["RecBLR", "FileSupport"], swiftSettings: strict),
        .target(
            name: "Report", dependencies: ["FileSupport", "RecBLR", "Interactions", "Evaluation", "Training"],
            swiftSettings: strict),

        // What `recblr bench` measures.
        .target(
            name: "Benchmarks",
            dependencies: [
                "CPUBackend", "CUDABackend", "Training", "Serving", "Interactions", "Evaluation", "FileSupport",
            ],
            swiftSettings: strict),

        // The command.
        .target(name: "CStartup", cSettings: strictC),
        .executableTarget(
            name: "RecBLRCommand",
            dependencies: [
                "CPUBackend", "CUDABackend", "Training", "Serving", "Report", "Interactions", "Evaluation",
                "ModelStore",
                "FileSupport", "Benchmarks", "CStartup",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Tests.
        .target(
            name: "EmulatedGPU", dependencies: ["CUDABackend", "Tensors"], path: "Tests/EmulatedGPU",
            swiftSettings: strict),
        .testTarget(
            name: "ReferenceBackendTests", dependencies: ["Tensors", "ReferenceBackend"], swiftSettings: strict),
        .testTarget(
            name: "FileSupportTests", dependencies: ["FileSupport", "CZlib", "Tensors"], swiftSettings: strict),
        .testTarget(
            name: "InteractionsTests", dependencies: ["Interactions", "FileSupport", "CZlib", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "OperationTests", dependencies: ["Tensors", "ReferenceBackend", "CPUBackend", "EmulatedGPU"],
            swiftSettings: strict),
        .testTarget(
            name: "CUDABackendTests", dependencies: ["CUDABackend", "CCUDA", "EmulatedGPU", "RecBLR", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "RecBLRTests",
            dependencies: ["RecBLR", "ModelStore", "CPUBackend", "ReferenceBackend", "EmulatedGPU"],
            swiftSettings: strict),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Evaluation", "Interactions", "ModelStore", "RecBLR", "CPUBackend", "CUDABackend",
                "Tensors", "EmulatedGPU",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServingTests",
            dependencies: ["Serving", "RecBLR", "FileSupport", "Tensors", "CPUBackend", "ReferenceBackend"],
            swiftSettings: strict),
        .testTarget(
            name: "ReportTests", dependencies: ["Report", "Training", "Evaluation", "Interactions", "RecBLR"],
            swiftSettings: strict),
        .testTarget(
            name: "BenchmarksTests",
            dependencies: ["Benchmarks", "RecBLR", "CPUBackend", "CUDABackend", "EmulatedGPU", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["RecBLRCommand", "EmulatedGPU"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelStoreTests", dependencies: ["ModelStore", "RecBLR", "FileSupport", "CPUBackend", "Tensors"],
            swiftSettings: strict),
        .testTarget(
            name: "EvaluationTests",
            dependencies: ["Evaluation", "Interactions", "FileSupport", "RecBLR", "CPUBackend", "Tensors"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
