import CCUDA

/// What is recorded, and started as a graph: see ``Recorder``.
extension Stream {
    var isRecording: Bool { recorder.isRecording }

    /// Records commands from now on; see ``Recorder``. False where they are recorded already.
    func startRecording() -> Bool {
        guard failure == nil, !recorder.isRecording else { return false }
        do { try recorder.start(on: handle) { self.check($0, $1) } } catch { fail(error) }
        return true
    }

    /// Starts the recorded commands.
    func finishRecording() {
        addPendingSums()
        guard failure == nil else { return recorder.abandon() }
        if recorder.isRecording { startRecorded() }
    }

    func startRecordedSoFar() {
        startRecorded()
        recorder.resume()
    }

    private func startRecorded() {
        guard let work = recorder.finish(on: handle, check: { self.check($0, $1) }), failure == nil else { return }
        switch work {
        case .graph(let graph): check(driver.cuGraphLaunch(graph, handle), "cuGraphLaunch")
        case .direct(let list): for command in list.commands { issue(command, of: list.bytes) }
        case .capture(let list): capture(list)
        }
        recorder.started(on: handle) { self.check($0, $1) }
    }

    /// Makes a graph of a list and starts it.
    private func capture(_ list: CommandList) {
        var (graph, executable): (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) = (nil, nil)
        check(driver.cuStreamBeginCapture_v2(handle, Int32(CU_CAPTURE_THREAD_LOCAL)), "cuStreamBeginCapture")
        issueWithBranches(list)
        check(driver.cuStreamEndCapture(handle, &graph), "cuStreamEndCapture")
        guard failure == nil else { return }
        check(driver.cuGraphInstantiateWithFlags(&executable, graph, 0), "cuGraphInstantiate")
        _ = driver.cuGraphDestroy(graph)
        guard failure == nil, let executable else { return }
        check(driver.cuGraphLaunch(executable, handle), "cuGraphLaunch")
        recorder.cache(executable, for: list)
    }

    /// Products that may run beside the next command go to the branch, which ends after that.
    private func issueWithBranches(_ list: CommandList) {
        var isForked = false
        for command in list.commands {
            if command.isBesideNext, !isForked {
                branch.fork(from: handle) { check($0, $1) }
                isForked = true
                issue(command, of: list.bytes, on: branch)
            } else {
                issue(command, of: list.bytes)
                if isForked { branch.join(handle) { check($0, $1) } }
                isForked = false
            }
        }
        if isForked { branch.join(handle) { check($0, $1) } }
    }
}
