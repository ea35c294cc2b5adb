import FileSupport

extension Recipe {
    /// Turns the settings for a model that begins into those for one that continues a trained one (``StartingModel``): a tenth of the
    /// epochs and of the warm-up, over all events, on a schedule of their own (docs/results.md, "Day two"), without teachers: models that
    /// continue one model are too much alike.
    public mutating func continueTraining() {
        removeTeachers()
        options.epochs = max(2, (options.epochs + 5) / 10)
        options.warmupSteps /= 10
        removePatience()
        reasons[.epochs] =
            "\(counted(options.epochs, "epoch")): a training that continues a model takes a tenth of those that begin one"
    }
}
