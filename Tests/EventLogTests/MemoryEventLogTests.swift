import EventLogConformance
import Events
import Testing

@Suite struct MemoryEventLogTests {
    @Test(arguments: ConformanceCheck.all) func conforms(check: ConformanceCheck) throws {
        let log = MemoryEventLog()
        try check.run(TestStore { log })
    }
}
