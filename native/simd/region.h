/**
 * Opens a region whose functions are compiled for an instruction set that the rest of the binary does not
 * assume. Inside a region: no system header (its inline functions would be compiled for that set and the
 * linker might keep that copy for everyone), no lambda (it does not inherit the region), no vector constant
 * at namespace scope (it would run at load time on any CPU).
 */
#pragma once

#define SELFSAME_TEXT(x) #x

#if defined(__clang__)
#define SELFSAME_OPEN_REGION(features) \
  _Pragma(SELFSAME_TEXT(clang attribute push(__attribute__((target(features))), apply_to = function)))
#define SELFSAME_CLOSE_REGION _Pragma("clang attribute pop")
#elif defined(__GNUC__)
#define SELFSAME_OPEN_REGION(features) \
  _Pragma("GCC push_options") _Pragma(SELFSAME_TEXT(GCC target(features)))
#define SELFSAME_CLOSE_REGION _Pragma("GCC pop_options")
#else
#define SELFSAME_OPEN_REGION(features)
#define SELFSAME_CLOSE_REGION
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define SELFSAME_INLINE static __forceinline
#define SELFSAME_NOINLINE static __declspec(noinline)
#define SELFSAME_RESTRICT __restrict
#else
#define SELFSAME_INLINE static inline __attribute__((always_inline))
#define SELFSAME_NOINLINE static __attribute__((noinline))
#define SELFSAME_RESTRICT __restrict__
#endif

/** Unrolls the loop that follows; tiles live in registers only when every index is a constant. */
#if defined(__clang__)
#define SELFSAME_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define SELFSAME_UNROLL _Pragma("GCC unroll 32")
#else
#define SELFSAME_UNROLL
#endif
