#pragma once

#include "harness/host/memory_reading.h"

#include <cstdint>
#include <span>
#include <string>

#include <c10/core/Device.h>

namespace bench::harness {

/// A backend behind one small interface. Nothing else in the program names a backend.
struct Device {
  const char* name;
  const char* meaning;
  c10::DeviceType type;
  bool (*available)();
  /// Caps this process's memory where the backend can; before its first use.
  void (*prepare)();
  /// Returns when all work given to the device is done.
  void (*synchronize)();
  /// Most memory that this process has held at once, in bytes: what the memory gates judge.
  MemoryReading (*peak_bytes)();
  /// Memory that this process holds now, in bytes, counted as peak_bytes counts it.
  MemoryReading (*current_bytes)();
  /// Memory that a process could have on this device now, in bytes.
  MemoryReading (*available_bytes)();
  /// True where bf16 matrix products are at least as fast as fp32 ones, on the machine at hand.
  bool (*fast_bf16)();
  /// The dtype that `mixed_precision` computes in on any such device, the machine not known.
  const char* mixed_dtype = "bf16";
  /// True where decoding takes bf16 even if its products are slow: it waits for memory, not for products.
  bool decodes_in_bf16 = false;
  /// True where a machine goes by this device's name, as one with a GPU in it does, and not by its processor's.
  bool names_machine = false;
  /// True where bf16 has no units of its own: on paper it is as fast as fp32.
  bool bf16_like_fp32 = false;
  /// True where our own kernels serve tensors (model/kernels): training then keeps less in memory.
  bool has_kernels = false;
  /// Tensors must be smaller than this, 0 for no such limit: beyond it results are silently wrong.
  std::int64_t max_tensor_bytes = 0;
  /// True where page-locked memory speeds up copies to the device.
  bool pins_memory = false;
  /// False where LibTorch's fused attention has no fused backward pass: training then takes our tiled one.
  bool fused_attention_gradient = true;
  /// True where a call only queues work: then waiting for it costs time of its own, which a short call would measure.
  bool queues_work = false;

  c10::Device torch_device() const { return c10::Device(type); }
};

std::span<const Device> devices();

/// The row of that name, whether this machine has the device or not, or nullptr.
const Device* device_named(const std::string& name);

/// The device of that name; "auto" is the first available of mps, cuda, cpu. Throws Error at `where` for an unknown
/// name or one that this machine lacks.
const Device& find_device(const std::string& name, const std::string& where);

}  // namespace bench::harness
