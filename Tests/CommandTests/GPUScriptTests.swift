import Foundation
import Testing

private let scripts = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../scripts").standardized

private func runScript(
    _ name: String, _ arguments: [String], in place: Workplace, environment: [String: String] = [:]
) throws -> Outcome {
    try run(arguments, of: scripts.appendingPathComponent(name), in: place, environment: environment)
}

private let canRunPython: Bool = {
    let place = try! Workplace()
    return (try? shell("bash --version && python3 --version", in: place))?.status == 0
}()

/// The scripts for machines with a GPU, with stand-ins for the programs that they run.
@Suite(.enabled("wants bash and python3") { canRunPython }) struct GPUScriptTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// A program of the shell; its path.
    private func makeProgram(_ name: String, _ lines: String) throws -> String {
        try place.write("#!/bin/sh\necho \"$*\" >>'\(place.path(name)).calls'\n\(lines)\n", name)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path(name))
        return place.path(name)
    }

    private func calls(of name: String) throws -> [Substring] {
        String(decoding: try place.bytes("\(name).calls"), as: UTF8.self).split(separator: "\n")
    }

    @Test func librariesOfWheelsAreFound() throws {
        for part in ["cuda_nvrtc", "cublas"] {
            try FileManager.default.createDirectory(
                atPath: place.path("site/nvidia/\(part)/lib"), withIntermediateDirectories: true)
        }
        func found(_ environment: [String: String]) throws -> String {
            let outcome = try runScript(
                "cuda-libraries.sh", [], in: place,
                environment: environment.merging(["PYTHONPATH": place.path("site")]) { $1 })
            #expect(outcome.status == 0 && outcome.error == "")
            return outcome.output
        }
        let wheels = ["cublas", "cuda_nvrtc"].map { place.path("site/nvidia/\($0)/lib") }.joined(separator: ":")
        #expect(try found([:]).contains(wheels), "the machine may have others")
        #expect(try found(["RECBLR_CUDA_PATH": "/mine:/yours"]) == "/mine:/yours\n")
        #expect(try found(["PYTHON": "/no/such/python"]) == "\n")
    }

    /// One step after the other is tried, however many fail. What `devices` says is longer than a pipe holds.
    @Test func testsOfAGPUGoOnAfterAFailure() throws {
        let program = try makeProgram(
            "program",
            """
            [ "$1" = devices ] || exit 70
            echo "cuda:0  Some GPU  80 GB  9.0  yes"
            echo "searching $RECBLR_CUDA_PATH"
            seq 100000
            """)
        let bench = try makeProgram("bench", "echo measured")
        let outcome = try runScript(
            "test-cuda.sh", [program, bench], in: place, environment: ["RECBLR_CUDA_PATH": "/some/libraries"])
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("searching /some/libraries"))
        #expect(outcome.output.contains("test-cuda: passed: recblr-bench gpu --tiny, "))
        for step in ["training on the CPU", "training in tf32", "the same training again", "evaluation"] {
            #expect(outcome.error.contains("test-cuda: FAILED: \(step)"))
        }
        #expect(try calls(of: "program").filter { $0 == "devices" }.count == 1)
    }

    @Test(arguments: ["test-cuda.sh", "bench-gpu.sh"]) func withoutAGPUNothingIsRun(script: String) throws {
        let program = try makeProgram("program", "echo 'cpu  Some processor  –  –  yes'")
        let outcome = try runScript(script, [program, program, program], in: place)
        #expect(outcome.status == 69 && outcome.error.contains("no GPU that can be used"))
        #expect(try calls(of: "program") == ["devices"])
    }

    /// Ours is measured and kept, on the GPU and in the sizes that were asked for; that there is no PyTorch becomes a row.
    @Test func withoutPyTorchOursIsMeasured() throws {
        let metrics = #"{"masked":{"at10":{"ndcg":0.2}}}"#
        let program = try makeProgram(
            "program",
            """
            case "$1" in
            devices) echo "cuda:1  Some GPU  80 GB  9.0  yes" ;;
            train) echo '{"epochs":[{"seconds":1,"loss":5,"validation":\(metrics)}],"test":{"all":\(metrics)}}' ;;
            esac
            """)
        let bench = try makeProgram(
            "bench",
            """
            echo '{"device":"Some GPU","copy_gigabytes_per_second":3000,"lengths":[],"scans":[],"training":[],
                "top_k":{"items":10,"users":2,"seconds":0.001}}'
            """)
        try place.write("raise ImportError('no PyTorch today')\n", "torch.py")
        let outcome = try runScript(
            "bench-gpu.sh",
            [
                program, bench, program, "--tiny", "--device", "cuda:1", "--work", place.path("work"), "--output",
                place.path("gpu.json"),
            ], in: place, environment: ["PYTHONPATH": place.url.path])
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(try calls(of: "bench") == ["gpu --gpu 1 --tiny --json"])
        let trained = try calls(of: "program").filter { $0.hasPrefix("train") }
        #expect(trained.filter { $0.contains("--device cuda:1") }.count == 2)
        #expect(trained.last?.contains("--device cpu") == true)

        let result = try #require(try JSONSerialization.jsonObject(with: place.bytes("gpu.json")) as? [String: Any])
        let failures = try #require(result["failures"] as? [String: String])
        #expect(failures == ["PyTorch's side": "ImportError: no PyTorch today"])
        let rows = try #require(result["rows"] as? [[String: Any]])
        #expect(
            rows.contains { $0["name"] as? String == "copy on the device" && $0["value"] as? String == "3,000 GB/s" })
        #expect(
            rows.contains {
                $0["value"] as? String == "failed" && $0["beside"] as? String == "ImportError: no PyTorch today"
            })
    }
}
