/** Plain C++: one lane. Runs the same templates where no vector unit is known, and checks them where one is.
 */
struct V {
  using Reg = float;
  using Mask = bool;
  static constexpr int kLanes = 1;
  static constexpr int kRegs = 16;

  SELFSAME_INLINE Reg zero() { return 0.0f; }
  SELFSAME_INLINE Reg all(float x) { return x; }
  SELFSAME_INLINE Reg load(const float* p) { return *p; }
  SELFSAME_INLINE void store(float* p, Reg x) { *p = x; }
  /** With one lane there is no tail. */
  SELFSAME_INLINE Reg loadTail(const float* p, int) { return *p; }
  SELFSAME_INLINE void storeTail(float* p, Reg x, int) { *p = x; }

  SELFSAME_INLINE Reg add(Reg a, Reg b) { return a + b; }
  SELFSAME_INLINE Reg sub(Reg a, Reg b) { return a - b; }
  SELFSAME_INLINE Reg mul(Reg a, Reg b) { return a * b; }
  /** a * b + c, rounded twice: std::fma is a slow library call on CPUs without the instruction. */
  SELFSAME_INLINE Reg fma(Reg a, Reg b, Reg c) { return a * b + c; }
  /** The larger; b where one is NaN. */
  SELFSAME_INLINE Reg max(Reg a, Reg b) { return a > b ? a : b; }

  SELFSAME_INLINE Mask greater(Reg a, Reg b) { return a > b; }
  SELFSAME_INLINE Mask equal(Reg a, Reg b) { return a == b; }
  SELFSAME_INLINE Mask both(Mask a, Mask b) { return a && b; }
  SELFSAME_INLINE bool any(Mask m) { return m; }
  SELFSAME_INLINE Reg select(Mask m, Reg a, Reg b) { return m ? a : b; }
  /** The low bits of x moved up to where a float keeps its exponent. */
  SELFSAME_INLINE Reg toExponent(Reg x) { return std::bit_cast<float>(std::bit_cast<uint32_t>(x) << 23); }

  SELFSAME_INLINE void transpose(Reg (&)[kLanes]) {}
};
