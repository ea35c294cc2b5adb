/// The advice in messages about a training that diverged.
public let divergenceAdvice = "train with a lower --learning-rate or with --clip-norm 1"
