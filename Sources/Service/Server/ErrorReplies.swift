import HTTPTypes
import Hummingbird
import Live
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Turns every error of a route into a problem, also "no such route" and "no such method".
struct ErrorReplies: RouterMiddleware {
    let routes: RouteTable

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            guard Self.isUsual(request.uri.path) else { throw Problem.noSuchAddress }
            return try await next(request, context)
        } catch let problem as Problem {
            problem.report(to: context.logger)
            return problem.response(to: request, context)
        } catch let error as ServiceError {
            let problem = Problem(error)
            problem.report(to: context.logger)
            return problem.response(to: request, context)
        } catch let error as HTTPError {
            if error.status == .notFound { return routes.reply(to: request, context) }
            return Problem(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
                .response(to: request, context)
        } catch is HTTPParserError {
            return Problem(.badRequest, "the body ends too early, or is no HTTP").response(to: request, context)
        } catch  where error is IOError || error is ChannelError || error is CancellationError {
            context.logger.debug("A client went away before its request was there.")
            return Problem(.badRequest, "the body did not arrive").response(to: request, context)
        } catch {
            context.logger.error("unexpected error", metadata: ["error": "\(type(of: error))"])
            return Problem(.internalServerError, "an error that nobody expected; the log has more")
                .response(to: request, context)
        }
    }

    /// Hummingbird passes over empty segments: `/v1/users//events` would be another route than it looks like. Gorse's clients end
    /// paths with a slash.
    private static func isUsual(_ path: String) -> Bool {
        path == "/" || path == "*" || path.hasPrefix("/api/")
            || (path.hasPrefix("/") && !path.hasSuffix("/") && !path.contains("//"))
    }
}

extension Problem {
    fileprivate static let noSuchAddress = Problem(.notFound, "there is no such address")
}

/// The routes of a router, for those who ask for one that is not there.
final class RouteTable: Sendable {
    private let routes = Mutex<[(path: RouterPath, method: HTTPRequest.Method)]>([])

    func fill(from router: Router<ServerContext>) {
        routes.withLock { $0 = router.routes.map { ($0.path, $0.method) } }
    }

    /// The reply where no route has both path and method: what may be asked for, a wrong method, or a wrong path.
    func reply(to request: Request, _ context: ServerContext) -> Response {
        let methods = methods(of: request.uri.path)
        if request.method == .options, !methods.isEmpty || request.uri.path == "*" {
            return Response(status: .noContent, headers: [.allow: methods.joined(separator: ", ")])
        }
        guard !methods.isEmpty else { return Problem.noSuchAddress.response(to: request, context) }
        let allow = methods.joined(separator: ", ")
        return Problem(.methodNotAllowed, "this address takes \(allow)", headers: [.allow: allow])
            .response(to: request, context)
    }

    private func methods(of path: String) -> [String] {
        let segments = path.split(separator: "/")
        let found = routes.withLock { routes in
            routes.filter { route in
                route.path.components.count == segments.count
                    && zip(route.path.components, segments).allSatisfy { $0 ~= $1 }
            }.map(\.method)
        }
        guard !found.isEmpty else { return [] }
        let implied: [HTTPRequest.Method] = found.contains(.get) ? [.head, .options] : [.options]
        return Set(found + implied).map(\.rawValue).sorted()
    }
}
