import ArgumentParser

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure this machine.", shouldDisplay: false)
    func run() throws {}
}
