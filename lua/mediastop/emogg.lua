--- The table `mediastop.emogg` as a module of its own.
-- @module mediastop.emogg

return require("mediastop").emogg
