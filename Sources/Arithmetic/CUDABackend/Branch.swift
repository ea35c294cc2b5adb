import CCUDA

/// A second stream for products of a captured graph that run beside those of the first, with a workspace of its own.
struct Branch {
    let stream: UnsafeMutableRawPointer?
    let workspace: cu_address
    private let driver: cu_driver
    /// The points of the graph where the branch begins and where it ends.
    private let begin, end: UnsafeMutableRawPointer?

    init(_ driver: cu_driver) throws(CUDAError) {
        var (stream, begin, end): (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?)
        (stream, begin, end) = (nil, nil, nil)
        try driver.expect(driver.cuStreamCreate(&stream, UInt32(CU_STREAM_NOT_BLOCKING)), "cuStreamCreate")
        try driver.expect(driver.cuEventCreate(&begin, UInt32(CU_EVENT_WITH_TIME)), "cuEventCreate")
        try driver.expect(driver.cuEventCreate(&end, UInt32(CU_EVENT_WITH_TIME)), "cuEventCreate")
        workspace = try driver.memory(ProductPlans.workspaceBytes)
        (self.driver, self.stream, self.begin, self.end) = (driver, stream, begin, end)
    }

    /// What the branch gets from now on runs after what `main` has got so far.
    func fork(from main: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) {
        check(driver.cuEventRecord(begin, main), "cuEventRecord")
        check(driver.cuStreamWaitEvent(stream, begin, 0), "cuStreamWaitEvent")
    }

    /// What `main` gets from now on runs after what the branch has got.
    func join(_ main: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) {
        check(driver.cuEventRecord(end, stream), "cuEventRecord")
        check(driver.cuStreamWaitEvent(main, end, 0), "cuStreamWaitEvent")
    }

    /// The device must be idle.
    func free() {
        for event in [begin, end] { _ = driver.cuEventDestroy_v2(event) }
        _ = driver.cuStreamDestroy_v2(stream)
        _ = driver.cuMemFree_v2(workspace)
    }
}
