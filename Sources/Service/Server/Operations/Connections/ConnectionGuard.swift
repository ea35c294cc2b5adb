import HTTPTypes
import Metrics
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Watches over one connection: clients that are too slow lose it, it does not close before its replies are taken, and what is no HTTP gets an
/// answer.
///
/// A connection waits for the head of a request, for the rest of its body, for the client to take the reply, or for the client to close,
/// and for none of them longer than ``ConnectionLimits`` says. While the service works on a request, there is no deadline here.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// When the connection ends.
    private enum Closing {
        case no
        /// When all requests that came have their replies.
        case afterAllReplies
        /// With the reply that is on its way.
        case afterThisReply
    }

    private let limits: ConnectionLimits
    private let metrics: ConnectionMetrics
    private let deadline = Deadline()

    private var isOpen = false
    /// Whether the head of a request is there and its end is not.
    private var isReading = false
    /// Whether a reply has begun and is not yet with the client.
    private var isReplying = false
    /// Requests whose replies are not with the client.
    private var unanswered = 0
    private var closing = Closing.no
    /// Whether something came that is no HTTP, so that nothing else can be understood.
    private var isMalformed = false

    init(_ limits: ConnectionLimits, _ metrics: ConnectionMetrics) { (self.limits, self.metrics) = (limits, metrics) }

    // MARK: Beginning and end

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        if let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) {
            try? pipeline.addHandler(HeadRules(), position: .before(codec))
        }
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func begin(_ context: ChannelHandlerContext) {
        guard !isOpen else { return }
        isOpen = true
        metrics.open.increment()
        wait(for: .head, context)
    }

    private func end() {
        guard isOpen else { return }
        isOpen = false
        metrics.open.decrement()
        deadline.cancel()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isMalformed else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            (isReading, unanswered) = (true, unanswered + 1)
            if head.headerFields[.connection] == "close", closing == .no { closing = .afterAllReplies }
            wait(for: .body, context)
            if isWaitingToSend(head) {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
        case .body: break
        case .end:
            isReading = false
            if !isReplying { wait(for: unanswered == 0 ? .head : .service, context) }
        }
        context.fireChannelRead(data)
    }

    /// Whether the client sends the body only when it is told to. It is not told where the body is too large: the reply will say so.
    private func isWaitingToSend(_ head: HTTPRequest) -> Bool {
        guard head.headerFields[.expect]?.lowercased() == "100-continue" else { return false }
        return head.headerFields[.contentLength].flatMap(Int.init).map { $0 <= Limits.body } ?? true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isMalformed else { return }
        let isOfHead = error is HTTPParserError || error is HTTP1TypeConversionError || error is HostError
        guard isOfHead, !isReading else {
            return context.fireErrorCaught(error)
        }
        isMalformed = true
        metrics.count(.malformed)
        guard unanswered == 0 else { return closing = .afterAllReplies }
        unanswered = 1
        for part in malformedReply(error) { write(context: context, data: wrapOutboundOut(part), promise: nil) }
        context.flush()
    }

    // MARK: Replies

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            isReplying = true
            wait(for: .client, context)
            // Without its end, the rest of a request would be taken for the next one.
            if isReading || head.headerFields[.connection] == "close" { closing = .afterThisReply }
            if isLastReply { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.assumeIsolated().whenComplete { _ in self.replyIsTaken(context) }
            context.write(data, promise: written)
        default: context.write(data, promise: promise)
        }
    }

    private var isLastReply: Bool { closing == .afterThisReply || (closing == .afterAllReplies && unanswered == 1) }

    private func replyIsTaken(_ context: ChannelHandlerContext) {
        let wasLast = isLastReply
        (isReplying, unanswered) = (false, unanswered - 1)
        if wasLast {
            // Input stays open for a while: a connection that is closed while bytes arrive is reset, and the reply lost.
            context.close(mode: .output, promise: nil)
            wait(for: .end, context)
        } else {
            wait(for: isReading ? .body : unanswered == 0 ? .head : .service, context)
        }
    }

    /// Who closes has often just written a reply: it is taken first.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input, isReplying, isOpen else { return context.close(mode: mode, promise: promise) }
        closing = .afterThisReply
        context.channel.closeFuture.cascade(to: promise)
    }

    private func wait(for reason: ConnectionLimits.Reason, _ context: ChannelHandlerContext) {
        guard isOpen else { return }
        deadline.set(limits.time(for: reason), on: context.eventLoop) { [metrics] in
            metrics.count(reason)
            context.close(mode: .all, promise: nil)
        }
    }
}

@available(*, unavailable) extension ConnectionGuard: Sendable {}
