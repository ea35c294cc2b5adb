import ErrorSupport
import FileSupport
import Foundation
import NIOSSL

/// The certificate and key by which the server proves who it is.
struct ServerCertificate: Sendable {
    /// TLS 1.2 or newer, with this certificate.
    let configuration: TLSConfiguration

    /// That of the settings; nil where they name none. Throws where a file is missing, is no PEM, or the key belongs to another
    /// certificate.
    init?(_ settings: ServiceSettings) throws(SettingError) {
        guard let certificate = settings.certificate, let key = settings.privateKey else { return nil }
        let chain = try Self.read(certificate, "certificates") { try NIOSSLCertificate.fromPEMBytes($0) }
        guard !chain.isEmpty else { throw SettingError("\(certificate): there is no certificate in it", .badData) }
        let privateKey = try Self.read(key, "a private key") { try NIOSSLPrivateKey(bytes: $0, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        do { _ = try NIOSSLContext(configuration: configuration) } catch {
            throw SettingError("\(key) is not the key of the certificate in \(certificate)", .badData)
        }
        self.configuration = configuration
    }

    private static func read<Value>(
        _ path: String, _ what: String, _ parse: ([UInt8]) throws -> Value
    ) throws(SettingError) -> Value {
        let bytes = try SettingError.wrapping { () throws(FileError) in try readFile(URL(fileURLWithPath: path)) }
        do { return try parse(bytes) } catch { throw SettingError("\(path): expected \(what) in PEM form", .badData) }
    }
}
