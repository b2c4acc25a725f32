#include "harness/devices/backends.h"

#include <mach/mach.h>

namespace bench::harness {

namespace {

/// Asks the kernel for its figures about this process's memory; `of` picks one. An older kernel fills in fewer of them:
/// `needed` is the count that the figure needs.
template <class Of>
MemoryReading task_memory(mach_msg_type_number_t needed, Of of) {
  task_vm_info_data_t info{};
  mach_msg_type_number_t count = TASK_VM_INFO_COUNT;
  if (task_info(mach_task_self(), TASK_VM_INFO, reinterpret_cast<task_info_t>(&info), &count) != KERN_SUCCESS)
    return MemoryReading::unread("task_info failed");
  if (count < needed) return MemoryReading::unread("this macOS does not tell it");
  return {static_cast<std::int64_t>(of(info)), ""};
}

}  // namespace

void use_huge_pages() {}  // the system has none to ask for

MemoryReading peak_process_bytes() {
  return task_memory(TASK_VM_INFO_REV3_COUNT, [](const auto& info) { return info.ledger_phys_footprint_peak; });
}

MemoryReading current_process_bytes() {
  return task_memory(TASK_VM_INFO_REV1_COUNT, [](const auto& info) { return info.phys_footprint; });
}

MemoryReading available_memory_bytes() {
  vm_statistics64_data_t pages{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &count) !=
      KERN_SUCCESS)
    return MemoryReading::unread("host_statistics64 failed");
  // The system gives up inactive and purgeable pages when memory is asked for.
  const auto free_pages = static_cast<std::int64_t>(pages.free_count) + pages.inactive_count + pages.purgeable_count;
  return {free_pages * static_cast<std::int64_t>(vm_kernel_page_size), ""};
}

}  // namespace bench::harness
