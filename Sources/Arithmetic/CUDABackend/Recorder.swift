import CCUDA

/// Keeps commands instead of starting them, so that a step of training is started as one.
///
/// A list that was not met before is started command by command, which also lets the libraries load what they need; the
/// second time it is captured as a graph; from then on it costs one call. Numbers that change from step to step are staged:
/// one of two blocks of the host's memory fills while the device still fetches from the other.
struct Recorder {
    /// How a list is to be started.
    enum Work {
        case graph(UnsafeMutableRawPointer)
        case capture(CommandList)
        case direct(CommandList)
    }

    var list = CommandList()
    private(set) var isRecording = false
    private let driver: cu_driver
    private var blocks: [Staging] = []
    /// When the device has fetched what is in each block.
    private var events: [UnsafeMutableRawPointer?] = []
    private var current = 0
    private var capacity = 32 << 20
    /// Outgrown in the middle of a step, whose commands may still read from them.
    private var retired: [Staging] = []
    private var graphs: [Graph] = []
    private var uses = 0

    private struct Graph {
        let list: CommandList
        var executable: UnsafeMutableRawPointer?
        var lastUse: Int
    }

    /// Lists that are remembered: steps of a few shapes alternate.
    private static let mostGraphs = 16

    init(_ driver: cu_driver) { self.driver = driver }

    /// Begins a new list. Waits until the block of memory that it will use is free.
    mutating func start(check: (Int32, String) -> Void) throws(CUDAError) {
        freeRetired()
        if blocks.isEmpty { try allocate() }
        current = 1 - current
        check(driver.cuEventSynchronize(events[current]), "cuEventSynchronize")
        blocks[current].restart()
        list.commands.removeAll(keepingCapacity: true)
        list.bytes.removeAll(keepingCapacity: true)
        isRecording = true
    }

    /// Goes on with a new list, after the one before was started; what was staged for that stays where it is.
    mutating func resume() {
        list = CommandList()
        isRecording = true
    }

    /// Makes room for uploads that are larger than expected, of at least `bytes` each.
    mutating func grow(for bytes: Int) throws(CUDAError) {
        retired += blocks
        for event in events { _ = driver.cuEventDestroy_v2(event) }
        (blocks, events) = ([], [])
        capacity = max(2 * capacity, 2 * bytes)
        try allocate()
    }

    /// Forgets every list, when the device has done everything.
    mutating func forgetGraphs() {
        for graph in graphs { if let executable = graph.executable { _ = driver.cuGraphExecDestroy(executable) } }
        graphs = []
    }

    /// The device's memory first, for which the driver waits until nobody uses it, or the host's, any longer.
    private mutating func freeRetired() {
        for device in Set(retired.map(\.device)) { _ = driver.cuMemFree_v2(device) }
        for block in retired { _ = driver.cuMemFreeHost(block.host) }
        retired = []
    }

    /// Forgets what was kept.
    mutating func abandon() { isRecording = false }

    /// Gives everything back, when the device has done everything.
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

    /// The address that the bytes will have when the list is started; nil where there is no room.
    func stage(_ bytes: UnsafeRawBufferPointer) -> cu_address? {
        guard blocks.indices.contains(current) else { return nil }
        return blocks[current].put(bytes).map { blocks[current].device + UInt64($0) }
    }

    /// Sends what was staged and says how the list is to be started; nil where there is nothing in it.
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

    /// The list was started: the block is free once the device has come this far.
    func started(on stream: UnsafeMutableRawPointer?, check: (Int32, String) -> Void) {
        check(driver.cuEventRecord(events[current], stream), "cuEventRecord")
    }

    mutating func keep(_ executable: UnsafeMutableRawPointer, for list: CommandList) {
        if let known = graphs.firstIndex(where: { $0.list == list }) { graphs[known].executable = executable }
    }

    private mutating func forgetOldest() {
        guard graphs.count >= Self.mostGraphs else { return }
        let oldest = graphs.indices.min { graphs[$0].lastUse < graphs[$1].lastUse }!
        if let executable = graphs.remove(at: oldest).executable { _ = driver.cuGraphExecDestroy(executable) }
    }
}
