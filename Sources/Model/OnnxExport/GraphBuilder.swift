import Foundation
import SwiftProtobuf

/// A tensor of a graph: an input, a constant, or what a node computes. Its operators add nodes.
struct Value {
    let name: String
    let graph: GraphBuilder

    static func + (a: Value, b: Value) -> Value { a.graph.node("Add", [a, b]) }
    static func - (a: Value, b: Value) -> Value { a.graph.node("Sub", [a, b]) }
    static func * (a: Value, b: Value) -> Value { a.graph.node("Mul", [a, b]) }
    static func / (a: Value, b: Value) -> Value { a.graph.node("Div", [a, b]) }
    static func + (a: Value, b: Float) -> Value { a + a.graph.floats([b], []) }
    static func - (a: Float, b: Value) -> Value { b.graph.floats([a], []) - b }
    static func * (a: Value, b: Float) -> Value { a * a.graph.floats([b], []) }
}

/// An ONNX graph that is being written: nodes in the order in which they are computed.
final class GraphBuilder {
    private(set) var graph = Onnx_GraphProto()
    /// The names of small constants that are there already, and of those that have one of their own. (A value would hold the graph.)
    private var constants: [Onnx_TensorProto: String] = [:]
    private var named: Set<String> = []
    private let prefix: String

    /// `prefix` begins the names of what is in the graph: names in the body of a loop must not be those of the graph around it.
    init(_ name: String, prefix: String = "") {
        graph.name = name
        self.prefix = prefix
    }

    /// Types of elements, by their numbers in a tensor.
    enum Element: Int {
        case float, int32, int64

        var number: Onnx_TensorProto.DataType {
            switch self {
            case .float: .float
            case .int32: .int32
            case .int64: .int64
            }
        }
    }

    /// A dimension: known, or called by a name where it depends on the input.
    enum Dimension {
        case size(Int)
        case any(String)
    }

    func input(_ name: String, _ element: Element, _ shape: [Dimension], _ meaning: String) -> Value {
        graph.input.append(Self.info(prefix + name, element, shape, meaning))
        return Value(name: prefix + name, graph: self)
    }

    /// Gives a value a name and makes it an output.
    func output(_ value: Value, _ name: String, _ element: Element, _ shape: [Dimension], _ meaning: String) {
        var node = Onnx_NodeProto()
        (node.opType, node.name, node.input, node.output) = ("Identity", prefix + name, [value.name], [prefix + name])
        graph.node.append(node)
        graph.output.append(Self.info(prefix + name, element, shape, meaning))
    }

    /// Adds a node with one output.
    func node(_ type: String, _ inputs: [Value], _ attributes: [Onnx_AttributeProto] = []) -> Value {
        nodes(type, inputs, attributes, outputs: 1)[0]
    }

    /// Adds a node with several outputs.
    func nodes(_ type: String, _ inputs: [Value], _ attributes: [Onnx_AttributeProto], outputs: Int) -> [Value] {
        var node = Onnx_NodeProto()
        node.opType = type
        node.name = "\(prefix)\(type)_\(graph.node.count)"
        node.input = inputs.map(\.name)
        node.output = outputs == 1 ? [node.name] : (0..<outputs).map { "\(node.name)_\($0)" }
        node.attribute = attributes
        graph.node.append(node)
        return node.output.map { Value(name: $0, graph: self) }
    }

    /// A constant that has a name of its own, as the weights do; what has that name already where it is asked for again.
    func constant(_ values: [Float], _ shape: [Int], named name: String) -> Value {
        add(tensor(values, shape, .float), named: name)
    }

    /// The same of integers, stored in 32 bits.
    func constant(_ values: [Int32], _ shape: [Int], named name: String) -> Value {
        add(tensor(values, shape, .int32), named: name)
    }

    /// A small constant.
    func floats(_ values: [Float], _ shape: [Int]) -> Value { shared(tensor(values, shape, .float)) }

    /// A small constant; without a shape it is a list.
    func integers(_ values: [Int], _ shape: [Int]? = nil) -> Value {
        shared(tensor(values.map(Int64.init), shape ?? [values.count], .int64))
    }

    private func shared(_ tensor: Onnx_TensorProto) -> Value {
        if let known = constants[tensor] { return Value(name: known, graph: self) }
        let value = add(tensor, named: "\(prefix)constant_\(graph.initializer.count)")
        constants[tensor] = value.name
        return value
    }

    private func add(_ tensor: Onnx_TensorProto, named name: String) -> Value {
        if named.insert(name).inserted {
            graph.initializer.append(tensor)
            graph.initializer[graph.initializer.count - 1].name = name
        }
        return Value(name: name, graph: self)
    }

    /// The bytes of its constants.
    var constantBytes: Int { graph.initializer.reduce(0) { $0 + $1.rawData.count } }

    private func tensor<Number: BitwiseCopyable>(
        _ values: [Number], _ shape: [Int], _ element: Element
    ) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        tensor.dims = shape.map(Int64.init)
        tensor.dataType = Int32(element.number.rawValue)
        tensor.rawData = values.withUnsafeBytes { Data($0) }  // little-endian, as is every supported processor
        return tensor
    }

    private static func info(
        _ name: String, _ element: Element, _ shape: [Dimension], _ meaning: String
    ) -> Onnx_ValueInfoProto {
        var info = Onnx_ValueInfoProto()
        (info.name, info.docString) = (name, meaning)
        info.type.tensorType.elemType = Int32(element.number.rawValue)
        info.type.tensorType.shape.dim = shape.map { dimension in
            var result = Onnx_TensorShapeProto.Dimension()
            switch dimension {
            case .size(let size): result.dimValue = Int64(size)
            case .any(let name): result.dimParam = name
            }
            return result
        }
        return info
    }
}

extension Onnx_AttributeProto {
    static func integer(_ name: String, _ value: Int) -> Self {
        .with { ($0.name, $0.type, $0.i) = (name, .int, Int64(value)) }
    }

    static func integers(_ name: String, _ values: [Int]) -> Self {
        .with { ($0.name, $0.type, $0.ints) = (name, .ints, values.map(Int64.init)) }
    }

    static func text(_ name: String, _ value: String) -> Self {
        .with { ($0.name, $0.type, $0.s) = (name, .string, Data(value.utf8)) }
    }

    static func graph(_ name: String, _ value: Onnx_GraphProto) -> Self {
        .with { ($0.name, $0.type, $0.g) = (name, .graph, value) }
    }
}
