#!/bin/sh
# cuda-libraries.sh: prints what RECBLR_CUDA_PATH should be: what it is, where it is set, else the folders of NVIDIA's wheels that
# $PYTHON (python3) knows, with colons between them; an empty line where there are none. Goes along in the package of the tests.
if [ -z "${RECBLR_CUDA_PATH:-}" ]; then
    RECBLR_CUDA_PATH=$("${PYTHON:-python3}" -c 'import glob, nvidia
print(":".join(lib for root in nvidia.__path__ for lib in sorted(glob.glob(root + "/*/lib"))))' 2>/dev/null)
fi
echo "$RECBLR_CUDA_PATH"
