import ErrorSupport
import Foundation
import Testing

@testable import Server

@Suite struct SettingsTests {
    /// A file with this text.
    private func file(_ text: String) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: url)
        return url
    }

    private func resolve(
        _ flags: [String: String] = [:], _ environment: [String: String] = [:], file text: String? = nil
    ) throws -> ResolvedSettings {
        guard let text else { return try ResolvedSettings(flags: flags, environment: environment, file: nil) }
        let url = try file(text)
        defer { try? FileManager.default.removeItem(at: url) }
        return try ResolvedSettings(flags: flags, environment: environment, file: url)
    }

    /// The sentence of the error, with the file's name cut out.
    private func refusal(
        _ flags: [String: String] = [:], _ environment: [String: String] = [:], file text: String? = nil
    ) -> (sentence: String, status: ErrorSupport.ExitStatus)? {
        do {
            _ = try resolve(flags, environment, file: text)
            return nil
        } catch {
            guard let error = error as? any UserFacingError else { return nil }
            return (error.description.replacing(#/serve-\S*json/#, with: "FILE"), error.exitStatus)
        }
    }

    @Test func flagsComeBeforeEnvironmentBeforeFileBeforeDefaults() throws {
        let settings = try resolve(
            ["port": "1"], ["RECBLR_SERVE_PORT": "2", "RECBLR_SERVE_HOST": "::1"],
            file: #"{"port": 3, "host": "localhost", "threads": 5, "in-memory": true, "event-types": ["view", "buy"]}"#)
        #expect(settings.values.port == 1 && settings.values.host == "::1" && settings.values.threads == 5)
        #expect(settings.values.isInMemory && settings.values.eventTypes == ["view", "buy"])
        func origin(_ name: String) throws -> SettingOrigin { settings.origin(of: try #require(Setting.named(name))) }
        #expect(try origin("port") == .flag && origin("host") == .environment && origin("durability") == .byDefault)
        guard case .file = try origin("threads") else { throw SettingError("not from the file") }
    }

    @Test func valuesAreReadAndWrittenAlike() throws {
        for (name, text, written) in [
            ("state-memory", "1.5GB", nil), ("state-memory", "1GiB", "1GiB"), ("state-memory", "1GB", "1000000000"),
            ("state-memory", "1536 kib", "1536KiB"), ("state-memory", "99999999999TB", nil), ("state-memory", "0", nil),
            ("maximum-wait", "250ms", "250ms"), ("maximum-wait", "1.5s", "1500ms"), ("maximum-wait", "2min", "2min"),
            ("maximum-wait", "3", "3s"), ("maximum-wait", "-1s", nil), ("maximum-wait", "s", nil),
            ("maximum-wait", "0ms", nil), ("idle-timeout", "0s", nil), ("idle-timeout", "100ms", "100ms"),
            ("request-timeout", "1441min", nil), ("drain-delay", "0", "0s"), ("state-memory", "8KB", nil),
            ("cors-origins", "https://a.example,http://b:80", "https://a.example,http://b:80"),
            ("cors-origins", "shop.example", nil), ("cors-origins", "https://a.example/", nil),
            ("allowed-hosts", "a.example, [::1]", "a.example,[::1]"), ("allowed-hosts", "http://x", nil),
            ("allowed-hosts", "x:80", nil), ("port", "65536", nil), ("port", "0", "0"),
            ("durability", "relaxed", "relaxed"),
            ("durability", "Full", nil),
            ("log-level", "debug", "debug"), ("event-types", "view, buy", "view,buy"),
            ("event-types", "view,,buy", nil),
            ("store", "", nil), ("log-requests", "yes", nil), ("log-requests", "true", "true"),
        ] as [(String, String, String?)] {
            let setting = try #require(Setting.named(name))
            let resolved = try? resolve([name: text])
            #expect(resolved.flatMap { setting.text($0.values) } == written, "\(name) \(text)")
        }
    }

    @Test func whatCannotBeIsRefusedByName() throws {
        func check(
            _ found: (sentence: String, status: ErrorSupport.ExitStatus)?, _ sentence: String,
            _ status: ErrorSupport.ExitStatus = .usage
        ) {
            #expect(found?.sentence == sentence && found?.status == status, "\(String(describing: found))")
        }
        check(refusal(["port": "x"]), "--port: 'x' is not a number in 0 ... 65535")
        check(
            refusal([:], ["RECBLR_SERVE_PORT": "tcp://10.0.0.1:80"]),
            "RECBLR_SERVE_PORT: 'tcp://10.0.0.1:80' is not a number in 0 ... 65535")
        check(
            refusal(["maximum-wait": "0ms"]),
            "--maximum-wait: '0ms' is not a time in 1ms ... 1440min such as 500ms, 30s or 5min")
        check(
            refusal(["state-memory": "100"]),
            "--state-memory: '100' is not a size of at least 8KiB such as 512MB or 2GiB")
        check(
            refusal(["cors-origins": "shop.example"]),
            "--cors-origins: 'shop.example' is not a list with commas between its parts, which are origins such as https://shop.example"
        )
        check(refusal(file: #"{"port": "x"}"#), "FILE: port: 'x' is not a number in 0 ... 65535")
        check(refusal(file: #"{"prot": 80}"#), "FILE: there is no setting 'prot'")
        check(
            refusal(file: #"{"admin-key": "k"}"#),
            "FILE: admin-key: secrets are taken from the environment only, as RECBLR_SERVE_ADMIN_KEY")
        check(
            refusal(file: #"{"port": {}}"#),
            "FILE: port: expected a text, a whole number, true, false or a list of texts", .badData)
        check(refusal(file: "[]"), "FILE: expected one JSON object", .badData)
        check(refusal(file: #"{"event-types": ["a,b"]}"#), "FILE: event-types: 'a,b' contains a comma")
        #expect(throws: (any Error).self) {
            try ResolvedSettings(flags: [:], environment: [:], file: URL(fileURLWithPath: "/nowhere/serve.json"))
        }
    }

    @Test func unknownVariablesAreTold() throws {
        let settings = try resolve([:], ["RECBLR_SERVE_PROT": "1", "RECBLR_SERVE_CONFIGURATION": "f", "PATH": "p"])
        #expect(settings.unknownVariables == ["RECBLR_SERVE_PROT"])
    }

    @Test func secretsAreNotShown() throws {
        let settings = try resolve([:], ["RECBLR_SERVE_ADMIN_KEY": "swordfish-swordfish"])
        for setting in Setting.all { #expect(setting.text(settings.values)?.contains("swordfish-swordfish") != true) }
        #expect(Setting.named("admin-key")?.text(settings.values) == "(secret)")
        #expect(
            refusal([:], ["RECBLR_SERVE_ADMIN_KEY": "two words"])?.sentence
                == "RECBLR_SERVE_ADMIN_KEY: it is not a key without spaces")
    }

    @Test func namesAreUniqueAndDefaultsAreReadable() throws {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        for setting in Setting.all {
            guard let text = setting.text(ServiceSettings()) else { continue }
            #expect(try setting.text(resolve([setting.name: text]).values) == text)
        }
    }

    @Test func contradictionsAndOpenDoorsAreRefused() throws {
        func reason(_ change: (inout ServiceSettings) -> Void) -> String? {
            var settings = ServiceSettings()
            (settings.models, settings.store) = ("m", "s")
            change(&settings)
            do throws(SettingError) {
                try settings.validate()
                return nil
            } catch {
                #expect(error.exitStatus == .usage)
                return error.description
            }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { $0.models = nil } != nil)
        #expect(reason { $0.store = nil } != nil)
        #expect(reason { $0.isInMemory = true } != nil)
        #expect(reason { $0.certificate = "c" } != nil)
        for host in ["0.0.0.0", "::", "192.168.0.1", "shop.example", "127.0.0.1.example", "127.1", "::ffff:127.0.0.1"] {
            #expect(reason { $0.host = host } != nil, "\(host)")
            #expect(reason { ($0.host, $0.keys) = (host, "k") } == nil)
        }
        for host in ["127.0.0.1", "127.9.9.9", "localhost", "::1"] { #expect(reason { $0.host = host } == nil) }
    }
}
