// TextData
