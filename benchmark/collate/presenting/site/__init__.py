"""The site: static pages that open from disk, without a server, a network, or anything to install."""
