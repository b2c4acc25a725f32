#pragma once

// The part of LibTorch that this project uses. <torch/torch.h> would bring data loaders, serialisation and all modules
// with it and take half as long again to compile.
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>
