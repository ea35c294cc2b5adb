import Events
import Foundation
import HTTPTypes
import Identifiers
import Live
import Testing

@testable import Server

struct StateTokenTests {
    private let keys = TokenKeys(current: Array(repeating: 1, count: 32))
    private let now = Timestamp(microseconds: 1_795_662_000_123_456)

    private func session(events: Int, idBytes: Int = 4, floats: Int = 1024) -> SessionState {
        var generator = SeededRandom(seed: 3)
        let list = (0..<events).map { index in
            SessionState.Event(
                item: RawID(String((String(index) + String(repeating: "x", count: idBytes)).prefix(idBytes))),
                time: now.adding(seconds: Int64(100 * (index - events))))
        }
        let state = (0..<floats).map { _ in Float.random(in: -1...1, using: &generator) }
        return SessionState(modelIdentity: "model", state: state, events: list, eventCount: events + 5)
    }

    @Test(arguments: [0, 1, 50]) func readsBack(_ events: Int) throws {
        let session = session(events: events)
        let (token, kept) = StateToken.seal(session, keys, now: now)
        #expect(kept == events)
        #expect(try StateToken.open(token, keys, now: now) == session)
    }

    @Test func aThousandUsualEventsFitBesideTheState() throws {
        let (token, kept) = StateToken.seal(session(events: 1024), keys, now: now)
        #expect(kept == 1024)
        #expect(token.utf8.count <= 20_000)
    }

    @Test func theOldestEventsGoFirst() throws {
        let session = session(events: 1024, idBytes: 36)
        let (token, kept) = StateToken.seal(session, keys, now: now)
        let opened = try StateToken.open(token, keys, now: now)
        #expect((200..<1024).contains(kept))
        #expect(token.utf8.count <= 20_000 && token.utf8.count > 19_900)
        #expect(opened.events == Array(session.events.suffix(kept)))
        #expect(opened.state == session.state && opened.eventCount == session.eventCount)
    }

    @Test func aLargeStateIsLeftOut() throws {
        let session = session(events: 1024, floats: 12_544)
        let (token, kept) = StateToken.seal(session, keys, now: now)
        let opened = try StateToken.open(token, keys, now: now)
        #expect(kept == 1024 && opened.events == session.events && opened.state.isEmpty)
    }

    @Test func expires() throws {
        let (token, _) = StateToken.seal(session(events: 3), keys, now: now)
        #expect(throws: Never.self) {
            try StateToken.open(token, keys, now: now.adding(seconds: StateToken.lifetime - 1))
        }
        #expect(throws: Problem(field: "token", "has expired")) {
            try StateToken.open(token, keys, now: now.adding(seconds: StateToken.lifetime))
        }
    }

    @Test func thePreviousKeyIsStillAcceptedAndOthersAreNot() throws {
        let old = keys
        let new = TokenKeys(current: Array(repeating: 2, count: 32), previous: Array(repeating: 1, count: 32))
        let other = TokenKeys(current: Array(repeating: 3, count: 32))
        let (token, _) = StateToken.seal(session(events: 3), old, now: now)
        #expect(throws: Never.self) { try StateToken.open(token, new, now: now) }
        #expect(throws: Problem.self) { try StateToken.open(token, other, now: now) }
        let (next, _) = StateToken.seal(session(events: 3), new, now: now)
        #expect(throws: Problem.self) { try StateToken.open(next, old, now: now) }
    }

    @Test func everyChangeIsNoticed() throws {
        let (token, _) = StateToken.seal(session(events: 3, floats: 8), keys, now: now)
        for index in token.indices {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            let problem = #expect(throws: Problem.self) { try StateToken.open(changed, keys, now: now) }
            #expect(problem?.field == "token" && problem?.status == .badRequest)
            #expect(throws: Problem.self) { try StateToken.open(String(token[..<index]), keys, now: now) }
        }
        for text in [token + "A", "", "😀", String(repeating: "A", count: 100_000)] {
            #expect(throws: Problem.self) { try StateToken.open(text, keys, now: now) }
        }
    }

    @Test func twoTokensOfOneSessionDiffer() {
        let session = session(events: 1)
        #expect(StateToken.seal(session, keys, now: now).token != StateToken.seal(session, keys, now: now).token)
    }
}
