"""A service of somebody's own: what its file declares, how it is started, asked, watched and measured."""
