--- The table `mediastop.memories` as a module of its own.
-- @module mediastop.memories

return require("mediastop").memories
