import FileSupport

extension Recipe {
    /// Trains to the last epoch.
    public mutating func withoutPatience() {
        options.patience = nil
        reasons[.patience] = nil
    }

    /// Leaves the teachers out.
    public mutating func withoutTeachers() {
        teachers = 0
        if let teacherDropout { options.dropout = teacherDropout }
        teacherDropout = nil
        reasons[.teachers] = nil
    }

    /// Turns the settings for a model that begins into those for one that continues a trained one (``StartingModel``): a tenth of the
    /// epochs and of the warm-up, over all events, on a schedule of their own (docs/results.md, "Day two"), without teachers: models that
    /// continue one model are too much alike.
    public mutating func continueTraining() {
        withoutTeachers()
        options.epochs = max(2, (options.epochs + 5) / 10)
        options.warmupSteps /= 10
        withoutPatience()
        reasons[.epochs] =
            "\(counted(options.epochs, "epoch")): a training that continues a model takes a tenth of those that begin one"
    }
}
