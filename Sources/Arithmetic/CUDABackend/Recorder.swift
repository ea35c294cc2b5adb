import CCUDA

/// Records commands as a CUDA graph, so that a step of training is started with one call.
///
/// A new list of commands is started command by command, which also lets the libraries load what they need; the second time it
/// is captured as a graph; from then on the graph is started. Values that change from step to step are staged: one of two
/// blocks of host memory is filled while the device still reads the other.
struct Recorder {
    /// How to start a list.
    enum Work {
        case graph(UnsafeMutableRawPointer)
        case capture(CommandList)
        case direct(CommandList)
    }

    var list = CommandList()
    private(set) var isRecording = false
    private let driver: cu_driver
    private var blocks: [Staging] = []
    /// For each block, the event after which the device has read it.
    private var events: [UnsafeMutableRawPointer?] = []
    private var current = 0
    private var capacity = 32 << 20
    /// Blocks that became too small in the middle of a step, whose commands may still read them.
    private var retired: [Staging] = []
    private var graphs: [Graph] = []
    private var uses = 0

    private struct Graph {
        let list: CommandList
        var executable: UnsafeMutableRawPointer?
        var lastUse: Int
    }

    /// Graphs that are cached: steps of a few shapes alternate.
    private static let maximumGraphs = 16

    init(_ driver: cu_driver) { self.driver = driver }

    /// Begins a new list. Waits until the device has read the block that the list will use.
    mutating func start(on stream: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) throws(CUDAError) {
        if !retired.isEmpty {
            check(driver.cuStreamSynchronize(stream), "cuStreamSynchronize")
            freeRetired()
        }
        if blocks.isEmpty { try allocate() }
        current = 1 - current
        check(driver.cuEventSynchronize(events[current]), "cuEventSynchronize")
        blocks[current].restart()
        list.commands.removeAll(keepingCapacity: true)
        list.bytes.removeAll(keepingCapacity: true)
        isRecording = true
    }

    /// Continues with a new list after the previous one was started; its staged values stay where they are.
    mutating func resume() {
        list = CommandList()
        isRecording = true
    }

    /// Enlarges the blocks, so that they hold at least `bytes`.
    mutating func grow(for bytes: Int) throws(CUDAError) {
        retired += blocks
        for event in events { _ = driver.cuEventDestroy_v2(event) }
        (blocks, events) = ([], [])
        capacity = max(2 * capacity, 2 * bytes)
        try allocate()
    }

    /// Drops all graphs. The device must be idle.
    mutating func forgetGraphs() {
        for graph in graphs { if let executable = graph.executable { _ = driver.cuGraphExecDestroy(executable) } }
        graphs = []
    }

    /// The device must have read them: `cuMemFree` need not wait for it.
    private mutating func freeRetired() {
        for device in Set(retired.map(\.device)) { _ = driver.cuMemFree_v2(device) }
        for block in retired { _ = driver.cuMemFreeHost(block.host) }
        retired = []
    }

    /// Drops what is recorded.
    mutating func abandon() { isRecording = false }

    /// Frees all memory and graphs. The device must be idle.
    mutating func free() {
        forgetGraphs()
        for event in events { _ = driver.cuEventDestroy_v2(event) }
        retired += blocks
        freeRetired()
        (events, blocks) = ([], [])
    }

    private mutating func allocate() throws(CUDAError) {
        let device = try driver.memory(capacity)
        for _ in 0..<2 {
            let host = try driver.hostMemory(capacity)
            blocks.append(Staging(host: host, device: device, capacity: capacity))
            var event: UnsafeMutableRawPointer?
            try driver.expect(driver.cuEventCreate(&event, 0), "cuEventCreate")
            events.append(event)
        }
    }

    /// Copies bytes for the device; returns the address that they will have there, nil where they do not fit.
    func stage(_ bytes: UnsafeRawBufferPointer) -> cu_address? {
        guard blocks.indices.contains(current) else { return nil }
        return blocks[current].put(bytes).map { blocks[current].device + UInt64($0) }
    }

    /// Uploads the staged bytes; returns how to start the list, nil where it is empty.
    mutating func finish(on stream: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) -> Work? {
        isRecording = false
        guard !list.commands.isEmpty, blocks.indices.contains(current) else { return nil }
        let (block, new) = (blocks[current], blocks[current].takeUnsent())
        if !new.isEmpty {
            let result = driver.cuMemcpyHtoDAsync_v2(
                block.device + UInt64(new.lowerBound), block.host + new.lowerBound, new.count, stream)
            check(result, "cuMemcpyHtoDAsync")
        }
        uses += 1
        guard let known = graphs.firstIndex(where: { $0.list == list }) else {
            forgetOldest()
            graphs.append(Graph(list: list, executable: nil, lastUse: uses))
            return .direct(list)
        }
        graphs[known].lastUse = uses
        return graphs[known].executable.map { .graph($0) } ?? .capture(list)
    }

    /// To be called after a list is started: its block may be reused once the device has passed this point.
    func started(on stream: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) {
        check(driver.cuEventRecord(events[current], stream), "cuEventRecord")
    }

    mutating func cache(_ executable: UnsafeMutableRawPointer, for list: CommandList) {
        if let known = graphs.firstIndex(where: { $0.list == list }) { graphs[known].executable = executable }
    }

    private mutating func forgetOldest() {
        guard graphs.count >= Self.maximumGraphs else { return }
        let oldest = graphs.indices.min { graphs[$0].lastUse < graphs[$1].lastUse }!
        if let executable = graphs.remove(at: oldest).executable { _ = driver.cuGraphExecDestroy(executable) }
    }
}
