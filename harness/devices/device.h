#pragma once

#include "harness/host/memory_reading.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <c10/core/Device.h>

namespace bench::harness {

/// One of several counts of the memory that this process takes, by a name such as "reserved".
struct MemoryPart {
  const char* name;
  MemoryReading reading;
};

/// A backend behind one small interface. Nothing else in harness/ names a backend.
struct Device {
  const char* name;
  const char* meaning;
  c10::DeviceType type;
  bool (*available)();
  /// Caps this process's memory where the backend can. Called before the device is first used.
  void (*prepare)();
  /// Returns when all work given to the device is done.
  void (*synchronize)();
  /// The most memory that this process has held at once, in bytes. The memory gates judge this number.
  MemoryReading (*peak_bytes)();
  /// Other counts of the peak, where the backend tells more than one.
  std::vector<MemoryPart> (*peak_parts)() = [] { return std::vector<MemoryPart>{}; };
  /// Gives memory that the backend keeps for later tensors back to the system.
  void (*empty_cache)() = [] {};
  /// The memory that this process holds now, in bytes, counted in the same way as peak_bytes.
  MemoryReading (*current_bytes)();
  /// The memory that a process could have on this device now, in bytes.
  MemoryReading (*available_bytes)();
  /// True where bf16 matrix products are at least as fast as fp32 ones on the machine at hand.
  bool (*fast_bf16)();
  /// The dtype in which `mixed_precision` computes on such a device when the machine is not known.
  const char* mixed_dtype = "bf16";
  /// True where decoding uses bf16 even if bf16 products are slow: decoding waits for memory, not for products.
  bool decodes_in_bf16 = false;
  /// True where a machine is known by the name of this device, like a machine with a GPU in it, and not by the name of
  /// its processor.
  bool names_machine = false;
  /// True where bf16 has no hardware units of its own, so that on paper it is as fast as fp32.
  bool bf16_like_fp32 = false;
  /// True where our own kernels (model/kernels) work on this device's tensors. Training then keeps less in memory.
  bool has_kernels = false;
  /// True where decoding has kernels of ours for this device (model/device/kernels.h). A token then takes fewer
  /// launches.
  bool has_device_kernels = false;
  /// The device's allocator takes memory from the system in heaps of this size (add_pools() in
  /// harness/cost/memory_profile.h says what that means); 0: it has no heaps.
  std::int64_t heap_bytes = 0;
  /// Tensors must be smaller than this; 0: no such limit. Results of larger tensors are silently wrong.
  std::int64_t max_tensor_bytes = 0;
  /// True where page-locked memory speeds up copies to the device.
  bool pins_memory = false;
  /// False where LibTorch's fused attention has no fused backward pass. Training then uses our tiled attention.
  bool fused_attention_gradient = true;
  /// True where a call only queues work. Waiting for the result then takes time of its own, which a measurement of a
  /// short call would include.
  bool queues_work = false;
  /// True where nothing is timed before `bench selftest` has passed on the machine at hand.
  bool needs_selftest = false;
  /// The version of the device's driver and which device it is, where the system doesn't tell; else "".
  std::string (*driver_version)() = [] { return std::string(); };

  c10::Device torch_device() const { return c10::Device(type); }
};

std::span<const Device> devices();

/// The row of devices() with that name, whether or not this machine has the device; nullptr if there is none.
const Device* device_named(const std::string& name);

/// The device of that name; "auto" is the first available of mps, cuda, cpu. Throws Error at `where` for an unknown
/// name or a device that this machine lacks.
const Device& find_device(const std::string& name, const std::string& where);

}  // namespace bench::harness
