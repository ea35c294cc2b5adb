/// What to do about a training that diverged, as people are told wherever it is noticed.
public let divergenceAdvice = "train with a lower --learning-rate or with --clip-norm 1"
