// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRecBLR
import ErrorSupport
import Foundation
import Identifiers
import Serving

/// A session that a program has, used by one thread at a time.
private final class LiveSession: Handed {
    static let noun = "session"
    let model: Model
    var session: Session

    init(_ model: Model, _ session: Session) { (self.model, self.session) = (model, session) }
}

@c @implementation
public func recblr_session_new(
    _ model: OpaquePointer?, _ session: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (model, place) = (try object(model, Model.self), try place(session, "session"))
        place.pointee = handedOut(LiveSession(model, Session(model.catalogue.model)))
    }
}

@c @implementation
public func recblr_session_fork(
    _ session: OpaquePointer?, _ copy: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (own, place) = (try object(session, LiveSession.self), try place(copy, "copy"))
        place.pointee = handedOut(LiveSession(own.model, own.session))
    }
}

@c @implementation
public func recblr_session_push(
    _ session: OpaquePointer?, _ item: recblr_text, _ time: UnsafePointer<Int64>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let own = try object(session, LiveSession.self)
        let item = try own.model.item(item)
        try own.model.withRecommender { try $0.push(item, time: time?.pointee, to: &own.session) }
    }
}

@c @implementation
public func recblr_session_count(_ session: OpaquePointer?) -> Int64 {
    (try? object(session, LiveSession.self)).map { Int64($0.session.items.count) } ?? 0
}

@c @implementation
public func recblr_session_top(
    _ session: OpaquePointer?, _ k: Int64, _ excludeSeen: Int32, _ time: UnsafePointer<Int64>?,
    _ items: UnsafeMutablePointer<Int64>?, _ scores: UnsafeMutablePointer<Float>?,
    _ count: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let own = try object(session, LiveSession.self)
        guard k >= 0 else { throw CallError(.usage, "k is \(k), but must not be negative") }
        let (items, scores) = (try place(items, "items"), try place(scores, "scores"))
        let count = try place(count, "count")
        var choice = Recommender.Choice()
        choice.excludesSeen = excludeSeen != 0
        let vocabulary = own.model.catalogue.items
        let best = try own.model.withRecommender {
            try $0.top(min(Int(k), vocabulary.count), of: own.session, askedAt: time?.pointee, choice)
        }
        let hasScores = !own.session.items.isEmpty
        for (place, each) in best.enumerated() {
            items[place] = Int64(vocabulary.position(of: each.id) ?? -1)
            scores[place] = hasScores ? each.score : .nan
        }
        count.pointee = Int64(best.count)
    }
}

/// An explanation as JSON.
private struct ExplanationObject: Encodable {
    struct Term: Encodable {
        var item: String
        var contribution: Double
        var scoreWithout: Double?
    }

    var score: Double
    var terms: [Term]
    var earlier, constant, repeats, transitions: Double

    init(_ explanation: Recommender.Explanation, _ history: [ItemID], _ items: Vocabulary) {
        score = explanation.score
        terms = explanation.terms.map { term in
            Term(
                item: items.ids[history[term.event].row], contribution: term.contribution,
                scoreWithout: term.scoreWithout)
        }
        (earlier, constant) = (explanation.earlier, explanation.constant)
        (repeats, transitions) = (explanation.repeats, explanation.transitions)
    }
}

@c @implementation
public func recblr_session_explain(
    _ session: OpaquePointer?, _ item: recblr_text, _ time: UnsafePointer<Int64>?,
    _ json: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (own, place) = (try object(session, LiveSession.self), try place(json, "json"))
        let item = try own.model.item(item)
        let session = own.session
        let explanations = try own.model.withRecommender {
            try $0.explain([item], after: session.items, times: session.times, askedAt: time?.pointee)
        }
        let object = ExplanationObject(explanations[0], session.items, own.model.catalogue.items)
        place.pointee = handedOut(CText(try JSONEncoder().encode(object)))
    }
}

@c @implementation
public func recblr_session_save(
    _ session: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (own, place) = (try object(session, LiveSession.self), try place(bytes, "bytes"))
        place.pointee = handedOut(CText(StoredSession.bytes(own.session, own.model)))
    }
}

@c @implementation
public func recblr_session_restore(
    _ model: OpaquePointer?, _ bytes: recblr_text, _ session: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (model, place) = (try object(model, Model.self), try place(session, "session"))
        let bytes = UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.bytes == nil ? 0 : max(0, bytes.length))
        place.pointee = handedOut(LiveSession(model, try StoredSession.session(bytes, model)))
    }
}

@c @implementation
public func recblr_session_free(_ session: OpaquePointer?) { free(session, LiveSession.self) }
