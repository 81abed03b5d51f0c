"""Networks: plain torch modules that know pixels and channels, no astronomy and no disk."""
