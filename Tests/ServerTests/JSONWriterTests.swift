import Foundation
import NIOCore
import Testing

@testable import Server

struct JSONWriterTests {
    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter(capacity: 1)
        body(&json)
        return String(buffer: json.buffer)
    }

    @Test func nestedValuesHaveCommasBetweenThem() {
        let json = text {
            $0.object {
                $0.key("a")
                $0.array {
                    $0.number(1)
                    $0.boolean(true)
                    $0.null()
                    $0.object { _ in }
                    $0.array { _ in }
                }
                $0.key("b")
                $0.string("c")
            }
        }
        #expect(json == #"{"a":[1,true,null,{},[]],"b":"c"}"#)
    }

    @Test func everyCharacterReadsBackFromAString() throws {
        let all = String(String.UnicodeScalarView((UInt32(0)...0x2FF).compactMap(Unicode.Scalar.init))) + "😀"
        let json = text { writer in writer.array { $0.string(all) } }
        #expect(try JSONDecoder().decode([String].self, from: Data(json.utf8)) == [all])
    }

    @Test(arguments: [0, -0.0, 1, 0.1, -1.5e-10, 3.4e38, 1e16, 123_456_789, Double.leastNonzeroMagnitude])
    func numbersReadBackExactly(_ number: Double) throws {
        let json = text { writer in writer.array { $0.number(number) } }
        #expect(try JSONDecoder().decode([Double].self, from: Data(json.utf8)) == [number])
        #expect(text { $0.number(Float(number)) } == Float(number).description)
    }

    @Test func numbersThatAreNoneAreNull() {
        #expect(text { $0.number(Double.nan) } == "null")
        #expect(text { $0.number(Float.infinity) } == "null")
    }
}
