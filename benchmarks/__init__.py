"""Benchmarks: casduo beside reference points and other CAS servers, measured in one interleaved run."""
