import NIOCore

/// Does something when a time has passed, unless it is given another time first. Giving it a later one, which happens with every request,
/// schedules nothing.
final class Deadline {
    private var due: (time: NIODeadline, action: () -> Void)?
    private var alarm: (time: NIODeadline, task: Scheduled<Void>)?

    /// From now on `action` is due after this time; nil: nothing is.
    func set(_ time: TimeAmount?, on loop: any EventLoop, _ action: @escaping () -> Void) {
        guard let time else { return due = nil }
        let moment = NIODeadline.now() + time
        due = (moment, action)
        if let alarm, alarm.time <= moment { return }
        schedule(moment, loop)
    }

    /// Nothing is due any more.
    func cancel() {
        alarm?.task.cancel()
        (alarm, due) = (nil, nil)
    }

    private func schedule(_ moment: NIODeadline, _ loop: any EventLoop) {
        alarm?.task.cancel()
        alarm = (moment, loop.assumeIsolated().scheduleTask(deadline: moment) { self.ring(loop) })
    }

    private func ring(_ loop: any EventLoop) {
        alarm = nil
        guard let due else { return }
        if due.time > .now() { return schedule(due.time, loop) }
        self.due = nil
        due.action()
    }
}
