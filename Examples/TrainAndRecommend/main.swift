import Foundation
import RecBLR

let data = try Dataset.open(URL(fileURLWithPath: "data/shop"))  // made by `recblr prepare`
guard let items = data.items else { fatalError("a dataset from a folder has identifiers") }

// Train: the last two events of each user are held out.
let shape = ModelConfiguration(itemCount: data.itemCount)
let outcome = try Trainer(data, .leaveOneOut(data), shape, TrainingOptions(), on: .cpu()).run()
guard case .finished(let model, let record) = outcome else { fatalError("nobody asked it to stop") }
print("NDCG@10:", record.epochs.last { $0.isBest }?.validation?.unmasked.at10.ndcg ?? 0)

// Recommend: the ten best next items of a user.
let recommender = Recommender(Catalogue(model, items: items))  // one a thread
for best in try recommender.recommend(after: data.sequence(ofUser: 0), k: 10) { print(best.id, best.score) }

// Live: one event after the other, in constant time and 4 KB a user.
var state = model.initialState()
for item in data.sequence(ofUser: 1) { print(try recommender.step(&state, item: item, k: 1)[0].id) }

try ModelFolder.write(model, items: items, to: URL(fileURLWithPath: "models/shop"))
