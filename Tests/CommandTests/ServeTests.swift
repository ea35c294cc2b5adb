import Foundation
import Server
import Testing

/// `recblr serve` as far as it ends by itself; scripts/check-serve.sh tries what runs.
@Suite struct ServeTests {
    /// Each setting is a flag that arrives, but for secrets, which no command line shows.
    @Test func everySettingHasAFlag() throws {
        let settings = Setting.all.filter { !$0.isSecret }
        let arguments = settings.flatMap { setting -> [String] in
            guard setting.placeholder != nil else { return ["--\(setting.name)"] }
            let examples = ["number": "3", "origins": "https://shop.example"]
            let example = setting.placeholder.flatMap { examples[$0] }
            return ["--\(setting.name)", example ?? setting.text(ServiceSettings()) ?? "something"]
        }
        let outcome = try run(["serve", "--print-configuration"] + arguments, in: Workplace())
        #expect(outcome.status == 0, "\(outcome.error)")
        let rows = outcome.output.split(separator: "\n").dropFirst(2).map { $0.split(separator: " ").map(String.init) }
        #expect(rows.map { $0[0] } == Setting.all.map(\.name))
        for (row, setting) in zip(rows, Setting.all) {
            #expect(row.last == (setting.isSecret ? "default" : "--\(setting.name)"))
        }
        for setting in Setting.all where setting.isSecret {
            #expect(try run(["serve", "--\(setting.name)", "secret"], in: Workplace()).status == 64)
        }
    }
}
