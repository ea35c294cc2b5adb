package import Tensors

extension ReferenceBackend {
    package func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep) {
        precondition(
            gradient.count == weights.count && firstMoment.count == weights.count
                && secondMoment.count == weights.count,
            "one moment of each kind for every weight")
        let (beta1, beta2) = (Double(step.beta1), Double(step.beta2))
        for i in 0..<weights.count {
            let g = gradient[i] * Double(step.gradientScale)
            let first = beta1 * firstMoment[i] + (1 - beta1) * g
            let second = beta2 * secondMoment[i] + (1 - beta2) * g * g
            let denominator = (second / Double(step.correction2)).squareRoot() + Double(step.epsilon)
            if i < step.decayedCount { weights[i] *= 1 - Double(step.learningRate) * Double(step.weightDecay) }
            weights[i] -= Double(step.learningRate) * (first / Double(step.correction1)) / denominator
            firstMoment[i] = first
            secondMoment[i] = second
        }
    }
}
