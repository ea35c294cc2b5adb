#!/usr/bin/env bash
# generate-onnx.sh: makes Sources/Model/OnnxExport/onnx.pb.swift from onnx.proto beside it, with protoc (Debian: protobuf-compiler) and the
# protoc-gen-swift of the package swift-protobuf. Needed only where onnx.proto changes: the result is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v protoc >/dev/null || {
    echo "generate-onnx: there is no 'protoc' on the PATH (Debian: apt-get install protobuf-compiler)" >&2
    exit 69
}
swift build --product protoc-gen-swift
folder=Sources/Model/OnnxExport
protoc --plugin="$(swift build --show-bin-path)/protoc-gen-swift" --proto_path="$folder" --swift_out="$folder" \
    --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true onnx.proto
