import Foundation
import RecBLR

/// What is kept of a user between two events.
struct LiveUser: Codable {
    /// The model's memory: ``RecurrentState/values``.
    var state: [Float]
    /// The last items: not recommended again, and what a repeat-aware model looks at.
    var recent: [ItemID]
}

let folder = try ModelFolder.open(URL(fileURLWithPath: "models/shop"))
let model = try folder.model(on: .cpu())
let recommender = Recommender(Catalogue(model, items: folder.items), tokens: 1)  // one a thread
let recentCount = max(100, folder.configuration.repeatWindow)

// What an earlier process has left.
let file = URL(fileURLWithPath: "users.json")
var users: [String: LiveUser] = [:]
if let stored = try? Data(contentsOf: file) { users = try JSONDecoder().decode([String: LiveUser].self, from: stored) }

// One event a line: user, blank, item.
while let line = readLine() {
    let fields = line.split(separator: " ").map(String.init)
    guard fields.count == 2, let row = folder.items.position(of: fields[1]) else { continue }
    let item = ItemID(row: row)
    let known = users[fields[0]]
    var state = known.flatMap { RecurrentState(values: $0.state, for: folder.configuration) } ?? model.initialState()
    let recent = Array(((known?.recent ?? []) + [item]).suffix(recentCount))
    let best = try recommender.step(&state, item: item, history: recent, k: 3)
    users[fields[0]] = LiveUser(state: state.values, recent: recent)
    print(fields[0], best.map(\.id).joined(separator: " "))
}

try JSONEncoder().encode(users).write(to: file, options: .atomic)
