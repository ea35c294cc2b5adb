/// When an append counts as stored.
public enum Durability: String, Sendable, CaseIterable {
    /// When the disk has it: it outlives a loss of power.
    case full
    /// When the system has it: it outlives the end of the program, not that of the system.
    case relaxed
}
