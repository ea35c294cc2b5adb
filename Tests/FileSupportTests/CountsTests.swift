import FileSupport
import Testing

@Suite struct CountsTests {
    @Test(arguments: [
        (0, "0 events"), (1, "1 event"), (2, "2 events"), (-1, "-1 events"), (1_234_567, "1,234,567 events"),
    ])
    func nounsAgree(count: Int, text: String) { #expect(counted(count, "event") == text) }
}
