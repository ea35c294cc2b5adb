import Events
import Hummingbird
import Live

/// All routes of the service.
///
/// `middleware` is called around them, the first outermost. It sees replies, never errors: these have become problems before. Who refuses a
/// request returns ``Problem/response(to:_:)``. `others` adds routes beside these.
func router(
    _ service: LiveService, durability: Durability = .full, tokenKeys: TokenKeys = .random(),
    middleware: [any MiddlewareProtocol<Request, Response, ServerContext>] = [],
    others: (Router<ServerContext>) -> Void = { _ in }
) -> Router<ServerContext> {
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    for each in middleware { router.add(middleware: each) }
    let table = RouteTable()
    router.add(middleware: ErrorReplies(routes: table))
    PageRoutes().add(to: router)
    EventRoutes(service: service, durability: durability).add(to: router)
    UserRoutes(service: service).add(to: router)
    RecommendationRoutes(service: service, keys: tokenKeys).add(to: router)
    ItemRoutes(service: service).add(to: router)
    ModelRoutes(service: service).add(to: router)
    HealthRoutes(service: service).add(to: router)
    OpenAPIRoute().add(to: router)
    GorseRoutes(service: service).add(to: router)
    others(router)
    table.fill(from: router)
    return router
}
