{
  "target_defaults": {
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_DEPRECATED", "NAPI_DISABLE_CPP_EXCEPTIONS"],
    "cflags!": ["-fno-exceptions", "-O3", "-g"],
    "cflags_cc!": ["-fno-exceptions", "-std=gnu++17", "-std=gnu++20", "-fno-rtti"],
    # -O2: within 1 % of -O3 in speed (kernels are unrolled by hand), at 60 % of its size.
    # No contraction: a product and a sum must round alike wherever a template is inlined.
    # Uninitialised: GCC 12 warns about its own _mm512_undefined_ps.
    "cflags_cc": [
      "-std=c++20", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-ffunction-sections",
      "-fdata-sections", "-Wall", "-Wextra",
      "-Wno-uninitialized", "-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"
    ],
    "ldflags": ["-Wl,--gc-sections", "-Wl,-s"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_OPTIMIZATION_LEVEL": "2",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off"]
    },
    "msvs_settings": {
      "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20", "/O2", "/fp:precise"], "ExceptionHandling": 1 }
    }
  },
  "targets": [
    {
      # What unpacks and checks a call is mostly text for errors: small, as -O2 would make 60 KB more of it.
      "target_name": "selfsame",
      "dependencies": ["selfsame_kernels"],
      "cflags_cc!": ["-O2"],
      "cflags_cc": ["-Os"],
      "xcode_settings": { "GCC_OPTIMIZATION_LEVEL": "s" },
      "sources": [
        "native/addon.cc",
        "native/attention/check.cc",
        "native/attention/spans.cc",
        "native/binding/async_run.cc",
        "native/binding/prepared.cc",
        "native/binding/unpack.cc",
        "native/runtime/cores.cc",
        "native/runtime/pages.cc"
      ]
    },
    {
      "target_name": "selfsame_kernels",
      "type": "static_library",
      "sources": [
        "native/attention/driver.cc",
        "native/isa/kernels_avx2.cc",
        "native/isa/kernels_avx512.cc",
        "native/isa/kernels_neon.cc",
        "native/isa/kernels_scalar.cc",
        "native/runtime/cpu.cc",
        "native/runtime/dispatch.cc",
        "native/runtime/pool.cc",
        "native/runtime/scratch.cc"
      ]
    },
    {
      # Measures the processor for the bench; an addon of its own, so that the other stays as small as it is.
      "target_name": "selfsame_probe",
      "sources": [
        "native/probe/addon.cc",
        "native/probe/isa_avx2.cc",
        "native/probe/isa_avx512.cc",
        "native/probe/isa_neon.cc",
        "native/probe/isa_scalar.cc",
        "native/probe/probe.cc",
        "native/runtime/cpu.cc"
      ]
    }
  ]
}
