// `import RecBLR` imports everything that a program needs to train, evaluate, store and serve a model.

@_exported import ArrowData
@_exported import CPUBackend
@_exported import CUDABackend
@_exported import ErrorSupport
@_exported import Evaluation
@_exported import Identifiers
@_exported import Interactions
@_exported import ModelStore
@_exported import Models
@_exported import Serving
@_exported import Tensors
@_exported import Training

@_exported import struct FileSupport.FileError
