"""Networks in other runtimes than PyTorch's eager mode: compiled, onnxruntime, OpenVINO; and the files that these read."""
