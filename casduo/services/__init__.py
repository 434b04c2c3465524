"""The registered services: what an entry may say, how the file is read and watched, which service a URL belongs to."""
