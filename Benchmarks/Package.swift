// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The benchmarks call what the library keeps to its own package. `package` declarations are visible to modules compiled under the
// same package name, which SwiftPM makes of the name of the package's folder; a package that is nobody's dependency may set it.
let parent = URL(fileURLWithPath: Context.packageDirectory).deletingLastPathComponent().lastPathComponent
let identity = String(
    parent.lowercased().enumerated().map { $1.isLetter || $1.isNumber && $0 > 0 ? $1 : "_" })
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-package-name", identity]),
]

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "recblr-bench", targets: ["Benchmarks"])
    ],
    dependencies: [
        .package(name: "RecBLR", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CReadiness", path: "CReadiness", cSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "CReadiness",
                .product(name: "_BenchmarkSupport", package: "RecBLR"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Sources", packageAccess: false, swiftSettings: settings),
        .testTarget(
            name: "BenchmarksTests", dependencies: ["Benchmarks"], packageAccess: false, swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
