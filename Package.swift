// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in this package; SwiftPM lifts that where the package is somebody's dependency.
// Each file declares what it uses, and `public import` says what a module's interface speaks of.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// `make test` builds what it tests optimised, and the tests themselves not: compiling them costs more than they take. No product for
// others may reach a target with an unsafe flag.
let plain = strict + [.unsafeFlags(["-Onone"])]
// `fp-contract=fast` comes from a pragma in the sources, so that no unsafe flags are needed.
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

#if os(Linux)
    let openBLAS: [Target.Dependency] = ["COpenBLAS"]
#else
    let openBLAS: [Target.Dependency] = []  // Accelerate brings CBLAS.
#endif

/// A Swift target on one of the floors, which are the folders of `Sources`.
func target(_ floor: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: plain)
}

/// What every floor stands on: what an error is.
let ground: [Target] = [.target(name: "ErrorSupport", swiftSettings: strict)]

/// Operations on matrices and who computes them.
let arithmetic: [Target] = [
    target("Arithmetic", "Tensors"),
    target("Arithmetic", "ReferenceBackend", ["Tensors"]),
    .target(name: "CKernels", path: "Sources/Arithmetic/CKernels", cSettings: strictC),
    .systemLibrary(
        name: "COpenBLAS", path: "Sources/Arithmetic/COpenBLAS", pkgConfig: "openblas",
        providers: [.apt(["libopenblas-dev"])]),
    target("Arithmetic", "CPUBackend", ["Tensors", "CKernels"] + openBLAS),
    .target(
        name: "CCUDA", path: "Sources/Arithmetic/CCUDA", exclude: ["kernels"], cSettings: strictC,
        linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    target("Arithmetic", "CUDABackend", ["ErrorSupport", "Tensors", "CCUDA"]),
]

/// Files, identifiers and logs.
let data: [Target] = [
    .systemLibrary(
        name: "CZlib", path: "Sources/Data/CZlib", pkgConfig: "zlib",
        providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "CFileSupport", path: "Sources/Data/CFileSupport", cSettings: strictC),
    target("Data", "Identifiers"),
    target("Data", "FileSupport", ["ErrorSupport", "Identifiers", "CZlib", "CFileSupport"]),
    .target(name: "CArrow", path: "Sources/Data/CArrow", cSettings: strictC),
    target("Data", "ArrowData", ["ErrorSupport", "CArrow"]),
    target("Data", "Interactions", ["ErrorSupport", "FileSupport", "Identifiers", "ArrowData"]),
]

/// The model and its files.
let model: [Target] = [
    target("Model", "Layers", ["Tensors", "Identifiers"]),
    target("Model", "Models", ["ErrorSupport", "Layers", "Tensors", "Identifiers"]),
    target("Model", "ModelStore", ["ErrorSupport", "Models", "Layers", "Tensors", "FileSupport", "Identifiers"]),
    .target(
        name: "OnnxExport",
        dependencies: [
            "ErrorSupport", "Models", "Layers", "Tensors", "FileSupport", "Identifiers",
            .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        ],
        path: "Sources/Model/OnnxExport", exclude: ["onnx.proto"], swiftSettings: strict),
]

/// Metrics, training and what it reports.
let learning: [Target] = [
    target("Learning", "Evaluation", ["ErrorSupport", "Models", "Tensors", "Interactions", "Identifiers"]),
    target(
        "Learning", "Training",
        [
            "ErrorSupport", "FileSupport", "Models", "Layers", "Tensors", "ModelStore", "Interactions",
            "Identifiers", "Evaluation",
        ]),
    target("Learning", "Report", ["FileSupport", "Models", "Interactions", "Identifiers", "Evaluation", "Training"]),
]

/// The page that `recblr serve` shows to people.
let pageFiles = [
    "index.html", "style.css", "icon.svg", "page.js", "client.js", "dom.js", "explanation.js", "lists.js", "search.js",
    "subjects.js", "titles.js",
]

/// Answers: `Serving` is part of the library, the rest of the service is for the program alone.
let service: [Target] = [
    target("Service", "Serving", ["ErrorSupport", "Models", "Tensors", "FileSupport", "Identifiers"]),
    target("Service", "Events", ["ErrorSupport", "Identifiers"]),
    .target(
        name: "CSecureDelete", dependencies: [.product(name: "GRDBSQLite", package: "GRDB.swift")],
        path: "Sources/Service/CSecureDelete", cSettings: strictC),
    target(
        "Service", "SQLiteLog",
        [
            "Events", "ErrorSupport", "Identifiers", "FileSupport", "CSecureDelete",
            .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ]),
    target(
        "Service", "Live",
        [
            "Events", "Serving", "Models", "ModelStore", "Layers", "Tensors", "CPUBackend", "FileSupport",
            "Identifiers",
            "ErrorSupport", .product(name: "Logging", package: "swift-log"),
            .product(name: "CoreMetrics", package: "swift-metrics"),
        ]),
    .target(
        name: "Server",
        dependencies: [
            "Live", "Events", "Interactions", "ErrorSupport", "FileSupport", "Identifiers",
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HummingbirdTLS", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "Metrics", package: "swift-metrics"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        path: "Sources/Service/Server",
        // In the program itself, which may be moved.
        resources: pageFiles.map { .embedInCode("Page/\($0)") }, swiftSettings: strict),
]

/// The program.
let command: [Target] = [
    .target(name: "CStartup", path: "Sources/Command/CStartup", cSettings: strictC),
    .target(
        name: "RecBLRCommand",
        dependencies: [
            "Tensors", "CPUBackend", "CUDABackend", "Models", "Training", "Serving", "Report", "Interactions",
            "Identifiers", "Evaluation", "ModelStore", "OnnxExport", "FileSupport", "ErrorSupport", "Events",
            "SQLiteLog", "Live", "Server",
            .product(name: "Logging", package: "swift-log"),
            .product(name: "Metrics", package: "swift-metrics"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        path: "Sources/Command/RecBLRCommand", swiftSettings: strict),
    .executableTarget(
        name: "RecBLRMain", dependencies: ["RecBLRCommand", "CStartup"], path: "Sources/Command/RecBLRMain",
        swiftSettings: strict),
]

/// The C interface: `make lib` links it with everything that it needs.
let cInterface: [Target] = [
    .target(name: "CRecBLR", dependencies: ["CArrow"], path: "Sources/CInterface/CRecBLR", cSettings: strictC),
    target(
        "CInterface", "RecBLRC",
        [
            "CRecBLR", "CArrow", "ArrowData", "CPUBackend", "ErrorSupport", "Identifiers", "Interactions",
            "FileSupport", "Models", "ModelStore", "RecBLRCommand", "Serving", "Tensors", "Training",
        ]),
]

/// `import RecBLR`: all of the above but the program.
let umbrella: [Target] = [
    .target(
        name: "RecBLR",
        dependencies: [
            "ArrowData", "CPUBackend", "CUDABackend", "ErrorSupport", "Evaluation", "FileSupport", "Identifiers",
            "Interactions",
            "ModelStore", "Models", "Serving", "Tensors", "Training",
        ],
        exclude: ["RecBLR.docc"], swiftSettings: strict)
]

/// The programs of README.md and of the documentation. Without `package` declarations, they see what any program sees: this proves that
/// `import RecBLR` is enough for them.
let examples: [Target] = ["TrainAndRecommend", "LiveStates"].map {
    .executableTarget(
        name: $0, dependencies: ["RecBLR"], path: "Examples/\($0)", packageAccess: false, swiftSettings: strict)
}

let testTargets: [Target] = [
    .target(
        name: "EmulatedGPU", dependencies: ["CUDABackend", "Tensors"], path: "Tests/EmulatedGPU",
        swiftSettings: strict),
    .target(name: "Operations", dependencies: ["Tensors"], path: "Tests/Operations", swiftSettings: strict),
    tests("ReferenceBackendTests", ["Tensors", "ReferenceBackend", "Operations"]),
    tests("FileSupportTests", ["FileSupport", "Identifiers", "CZlib", "Tensors"]),
    tests("ArrowDataTests", ["ArrowData", "CArrow", "Interactions", "Identifiers", "Tensors"]),
    tests("InteractionsTests", ["Interactions", "Identifiers", "FileSupport", "CZlib", "Tensors"]),
    tests("OperationTests", ["Operations", "Tensors", "ReferenceBackend", "CPUBackend", "EmulatedGPU"]),
    tests(
        "CUDABackendTests",
        [
            "CUDABackend", "CCUDA", "EmulatedGPU", "Training", "Interactions", "Identifiers", "Models", "Layers",
            "Tensors",
        ]),
    tests(
        "ModelsTests",
        ["Models", "Layers", "Identifiers", "ModelStore", "CPUBackend", "ReferenceBackend", "EmulatedGPU", "Tensors"]),
    tests(
        "TrainingTests",
        [
            "Training", "Evaluation", "Interactions", "Identifiers", "ModelStore", "Models", "Layers", "CPUBackend",
            "CUDABackend",
            "Tensors", "EmulatedGPU", "FileSupport",
        ]),
    tests(
        "ServingTests",
        ["Serving", "Models", "FileSupport", "Identifiers", "Tensors", "CPUBackend", "ReferenceBackend"]),
    .target(
        name: "EventLogConformance", dependencies: ["Events", "Identifiers"], path: "Tests/EventLogConformance",
        swiftSettings: strict),
    .target(
        name: "CFaultyDisk", dependencies: [.product(name: "GRDBSQLite", package: "GRDB.swift")],
        path: "Tests/CFaultyDisk", cSettings: strictC),
    tests(
        "EventLogTests",
        [
            "Events", "SQLiteLog", "EventLogConformance", "Identifiers", "CFaultyDisk",
            .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ]),
    tests(
        "LiveTests",
        [
            "Live", "Events", "SQLiteLog", "Serving", "Models", "ModelStore", "Layers", "Tensors", "CPUBackend",
            "Identifiers",
        ]),
    tests(
        "ServerTests",
        [
            "Server", "Live", "Events", "ErrorSupport", "Models", "ModelStore", "Identifiers", "CPUBackend",
            .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "Metrics", package: "swift-metrics"),
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ]),
    tests("DocumentationTests", ["RecBLR", "TrainAndRecommend", "LiveStates"]),
    tests("ReportTests", ["Report", "Training", "Evaluation", "Interactions", "Identifiers", "Models"]),
    tests(
        "CommandTests", ["RecBLRCommand", "EmulatedGPU", "Events", "Identifiers", "SQLiteLog", "Server"],
        exclude: ["Golden"]),
    tests(
        "ModelStoreTests",
        ["ModelStore", "OnnxExport", "Models", "Layers", "FileSupport", "Identifiers", "CPUBackend", "Tensors"]),
    tests(
        "EvaluationTests",
        [
            "Evaluation", "Interactions", "Identifiers", "FileSupport", "Models", "CPUBackend", "ReferenceBackend",
            "Layers", "Tensors",
        ]),
]

/// `recblr-bench`: speed beside this machine's limits.
let benchmarks: [Target] = [
    .target(name: "CReadiness", path: "Benchmarks/CReadiness", cSettings: strictC),
    .executableTarget(
        name: "Benchmarks",
        dependencies: [
            "CReadiness", "CStartup", "CPUBackend", "CUDABackend", "EmulatedGPU", "Evaluation", "FileSupport",
            "Identifiers", "Interactions", "Layers", "ModelStore", "Models", "Operations", "Report", "Serving",
            "Tensors", "Training",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Histogram", package: "hdrhistogram-swift"),
        ],
        path: "Benchmarks/Sources", swiftSettings: strict),
    .testTarget(
        name: "BenchmarksTests", dependencies: ["Benchmarks", "EmulatedGPU"], path: "Benchmarks/Tests/BenchmarksTests",
        swiftSettings: plain),
]

let package = Package(
    name: "RecBLR",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "RecBLR", targets: ["RecBLR"]),
        .executable(name: "recblr", targets: ["RecBLRMain"]),
        // What `scripts/lib.sh` links into libRecBLR.so; not for others.
        .library(name: "_RecBLRC", type: .static, targets: ["RecBLRC"]),
        .executable(name: "recblr-bench", targets: ["Benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // For `recblr export --format onnx` alone.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        // What follows is for `recblr serve` alone: a program that depends on the library builds none of it.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.25.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.15.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        // For `recblr-bench serve` alone.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: ground + arithmetic + data + model + learning + service + command + cInterface + umbrella + examples
        + benchmarks + testTargets,
    swiftLanguageModes: [.v6]
)
