// Letters that stand for dimensions, here and in every module above:
//
//   T  tokens of a packed batch        D  model width           H  attention heads
//   S  sentences of a packed batch     F  feed-forward width    K  width of a head, D / H
//   R  rows that the last layer reads  V  vocabulary            L  encoder layers
//   C  outputs of a head
//
// A packed batch is the concatenation of its sentences: no padding, no mask. Matrices are row-major; a weight is
// (out, in), as Hugging Face stores it, and a linear map is y = x Wᵀ + b.
