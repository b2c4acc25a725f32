#include "model/recompute.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using Segment = std::function<torch::Tensor(const torch::Tensor&)>;

/// Carries a function in the saved data of an autograd node, which holds only what an IValue can.
struct SegmentHolder : torch::CustomClassHolder {
  explicit SegmentHolder(Segment segment) : f(std::move(segment)) {}
  Segment f;
};

struct Recompute : torch::autograd::Function<Recompute> {
  static torch::Tensor forward(torch::autograd::AutogradContext* ctx, const torch::Tensor& x, const Segment& f) {
    ctx->save_for_backward({x});
    ctx->saved_data["segment"] = c10::IValue::make_capsule(c10::make_intrusive<SegmentHolder>(f));
    return f(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_();
    const auto segment = c10::static_intrusive_pointer_cast<SegmentHolder>(ctx->saved_data["segment"].toCapsule());
    torch::Tensor y;
    {
      const torch::AutoGradMode with_grad(true);
      y = segment->f(x);
    }
    torch::autograd::backward({y}, {gradients[0]});  // adds to the gradients of f's parameters as well
    return {x.grad(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor recompute_in_backward(const Segment& f, const torch::Tensor& x) { return Recompute::apply(x, f); }

}  // namespace bench::model
