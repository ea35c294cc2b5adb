package import ErrorSupport
import Interactions
import Models
import Training

/// What can be done about an error, in words that tell the program's options.
package func text(_ remedy: any Remedy) -> String {
    switch remedy {
    case let remedy as LogRemedy: text(remedy)
    case let remedy as ResumeRemedy: text(remedy)
    case DivergenceRemedy.smallerSteps:
        "train with a lower --learning-rate or with --clip-norm 1, and --restart where the run is unfinished"
    default: "\(remedy)"
    }
}

private func text(_ remedy: LogRemedy) -> String {
    switch remedy {
    case .nameColumn(let role): return "name the one that is meant with \(option(role))"
    case .numberColumn(let role): return "give its number to \(option(role))"
    case .numberColumns(let user, let item, let time):
        let order = time.map { "--timestamp \($0)" } ?? "--file-order"
        return "say which columns are which, for instance --no-header --user \(user) --item \(item) \(order)"
    case .fileOrder: return "say --file-order if the lines are in order of time"
    case .tellHeader: return "say --header or --no-header"
    case .keepHeader: return "leave --no-header out"
    case .nameFormat:
        return "give --format, one of " + InputFormat.allCases.map(\.rawValue).joined(separator: ", ")
    case .format(let format): return "give --format \(format) if \(meaning(format))"
    case .withoutQuotes(let delimiter):
        let name = delimiter == .bar ? "pipe" : "\(delimiter)"
        return "say --format tsv --delimiter \(name) if quotes mean nothing here"
    case .skipBadLines: return "give --skip-bad-lines, which counts and passes over such lines"
    case .convert(let shell, let format):
        return "feed what is in it: \(shell) | recblr prepare - --format \(format) …"
    case .readInPython(let table):
        return "the Python package reads it: recblr.Dataset(\(table), user=…, item=…, timestamp=…).save(FOLDER)"
    case .fewerEvents: return "give lower numbers to --min-user-events or --min-item-events"
    }
}

/// The option that names a column.
func option(_ role: ColumnRole) -> String {
    switch role {
    case .time: "--timestamp"
    case .title: "--title-column"
    case .condition: "--where"
    case .type: "--type-column"
    case .eventID: "--event-id"
    case .user, .item, .rating: "--\(role)"
    }
}

/// How a file was understood, and the options that would choose other columns where others could have been meant.
func text(_ layout: LogLayout) -> String {
    let options = layout.columns.filter { !$0.others.isEmpty }.map { option($0.role) }
    return layout.description
        + (options.isEmpty ? "" : "\n  \(options.joined(separator: ", ")) can choose other columns")
}

private func meaning(_ format: InputFormat) -> String {
    switch format {
    case .sequences: "each line is a user and its items"
    default: "that is what it is"
    }
}

private func text(_ remedy: ResumeRemedy) -> String {
    switch remedy {
    case .beginAnew: "begin anew with --restart"
    case .beginAnewAtConstantRate:
        "begin anew with --restart (only a run with --schedule constant can be given other --epochs on its way)"
    case .endWithVersion(let version): "end it with version \(version)"
    case .sameOrigin: "give --from with the model that it began from"
    case .startAtRandom: "leave --from out"
    case .sameDevice: "give the same --device, --precision and --threads"
    case .give(let settings): "give what it began with: " + settings.map(option).joined(separator: " ")
    }
}

/// What was given, or not, so that a setting had the value of before.
private func option(_ setting: RunDifference.Setting) -> String {
    func flag(_ name: String, _ isGiven: Bool) -> String { isGiven ? name : "no \(name)" }
    switch setting.name {
    case "block": return flag("--recurrence-only", setting.was == "recurrenceOnly")
    case "feedForward": return flag("--without-feed-forward", setting.was == "no")
    case "decayInitialization": return flag("--without-decay-ring", setting.was == "normal")
    case "repeatAware": return setting.was == "yes" ? "--repeat-aware" : "--no-repeat-aware"
    case "transitions": return setting.was == "yes" ? "--transitions" : "--no-transitions"
    case "usesTime": return flag("--time", setting.was == "yes")
    case "patience" where setting.was == nil: return "--epochs, with which there is no patience"
    case "lastEpoch": return flag("--epochs-from", setting.was != nil)
    default:
        let names = ["maximumLength": "max-length", "layerCount": "layers"]
        let hyphens = setting.name.map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
        let option = "--" + (names[setting.name] ?? hyphens)
        return setting.was.map { "\(option) \($0)" } ?? "no \(option)"
    }
}
