import CKernels
import Tensors

/// The last rows of each sequence (of a convolution's inputs, of an attention's keys and values), which are the window of the
/// next chunk.
extension CPUBackend {
    /// Copies each sequence's last `length` inputs (older ones from `window`, else zeros) to `final`, oldest first.
    func keepWindow(of input: Tensor, _ length: Int, _ starts: Indices, _ window: Tensor?, in final: Tensor) {
        let width = input.columns
        for s in 0..<(starts.count - 1) {
            let (begin, end) = (Int(starts.base[s]), Int(starts.base[s + 1]))
            let row = final.base + s * final.stride
            for slot in 0..<length {  // ascending, so that a window may be shifted in place
                let source = end - length + slot
                let target = row + slot * width
                if source >= begin {
                    target.update(from: input.base + source * input.stride, count: width)
                } else if let window {
                    let old = length - (begin - source)
                    target.update(from: window.base + s * window.stride + old * width, count: width)
                } else {
                    target.update(repeating: 0, count: width)
                }
            }
        }
    }

    /// Adds the gradient of each final window to the gradients of the sequence's last inputs; where a sequence is shorter than
    /// the window, the rest is added to the gradient of the window before it.
    func passOn(_ final: Tensor, _ starts: Indices, to inputGradient: Tensor, _ windowGradient: Tensor?) {
        let width = inputGradient.columns
        let length = final.columns / max(1, width)
        for s in 0..<(starts.count - 1) {
            let (begin, end) = (Int(starts.base[s]), Int(starts.base[s + 1]))
            for slot in 0..<length {
                let own = final.base + s * final.stride + slot * width
                let source = end - length + slot
                if source >= begin {
                    kernels.add(width, own, inputGradient.base + source * inputGradient.stride)
                } else if let windowGradient {
                    let older = length - (begin - source)
                    kernels.add(width, own, windowGradient.base + s * windowGradient.stride + older * width)
                }
            }
        }
    }
}
